package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// maxFile is the number of bytes that are read of one message of a folder.
const maxFile = 10 << 20

// maildirEvery is the interval between checks of a folder.
const maildirEvery = 15 * time.Second

// Watch processes the new mail of a Maildir folder until ctx ends. Processed
// messages are moved to cur and marked as seen; others stay new.
func (b *Inbox) Watch(ctx context.Context, dir string) error {
	tick := time.NewTicker(maildirEvery)
	defer tick.Stop()
	for {
		if _, err := b.ProcessMaildir(ctx, dir); err != nil && ctx.Err() == nil {
			b.Logger.Error("mail folder not read", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// ProcessMaildir processes the new messages of a Maildir folder now and returns
// their number.
func (b *Inbox) ProcessMaildir(ctx context.Context, dir string) (taken int, err error) {
	entries, err := os.ReadDir(filepath.Join(dir, "new"))
	if err != nil {
		return 0, fmt.Errorf("%s is not a Maildir folder that dibao can read: %w", dir, err)
	}
	var problems []error
	for _, e := range entries {
		if !e.Type().IsRegular() || ctx.Err() != nil {
			continue
		}
		path := filepath.Join(dir, "new", e.Name())
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) { // another program was faster
			continue
		}
		if err != nil {
			return taken, err
		}
		raw, err := io.ReadAll(io.LimitReader(f, maxFile))
		f.Close()
		if err != nil {
			return taken, err
		}
		if err := b.Receive(ctx, nil, raw); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", e.Name(), err)) // it stays there and does not block others
			continue
		}
		taken++
		if err := os.Rename(path, filepath.Join(dir, "cur", e.Name()+":2,S")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return taken, err
		}
	}
	return taken, errors.Join(problems...)
}
