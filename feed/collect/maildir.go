package collect

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"dibao/policy/warn"

	"dibao/feed"
	"dibao/feed/ingest"
)

const (
	maxMessages     = 200     // maximum number of messages; the newest are read
	maxMessageBytes = 5 << 20 // size of one message
)

// Message is the file of a message in a Maildir folder.
type Message struct {
	path string
	info fs.FileInfo
}

// Messages returns the newest messages of a Maildir folder, at most those that one collection
// reads, and says if dibao can't read the folder.
func Messages(dir string) ([]Message, error) {
	var files []Message
	for _, sub := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(dir, sub))
		if err != nil {
			return nil, fmt.Errorf("%s is not a Maildir folder that dibao can read: %w", dir, err)
		}
		for _, e := range entries {
			if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
				files = append(files, Message{filepath.Join(dir, sub, e.Name()), info})
			}
		}
	}
	slices.SortFunc(files, func(a, b Message) int {
		return cmp.Or(b.info.ModTime().Compare(a.info.ModTime()), cmp.Compare(a.info.Name(), b.info.Name()))
	})
	return files[:min(len(files), maxMessages)], nil
}

// collectMaildir reads the messages of a Maildir folder. It does not move or
// mark anything: other programs may read the same mailbox.
func (c *Collector) collectMaildir(ctx context.Context, src *feed.Source, dir string, out *Collection) error {
	files, err := Messages(dir)
	if err != nil {
		return err
	}
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%s %d\n", f.info.Name(), f.info.Size())
	}
	hash := hex.EncodeToString(h.Sum(nil))
	if hash == src.BodyHash {
		out.NotModified = true
		return nil
	}
	var items []ingest.Item
	size := 0
	for _, f := range files {
		if f.info.Size() > maxMessageBytes {
			out.Warnings = append(out.Warnings, warn.New("message-too-large", f.path, maxMessageBytes>>20))
			continue
		}
		body, err := os.ReadFile(f.path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was moved from new to cur in the meantime
		}
		if err != nil {
			return err
		}
		size += len(body)
		if err := out.hold(ctx, size); err != nil {
			return err
		}
		message, err := read(ctx, src.Kind, ingest.Page{URL: src.URL, Body: body}, src)
		if err != nil {
			out.Warnings = append(out.Warnings, warn.New("message-unread", f.path, err))
			continue
		}
		items = append(items, message.Items...)
	}
	out.Items = len(items)
	src.Warnings = slices.Clone(out.Warnings)
	if _, err := c.storeItems(ctx, src, items, out); err != nil {
		return err
	}
	src.BodyHash = hash
	return nil
}
