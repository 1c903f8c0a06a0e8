package delivery

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"dibao/internal/database"
)

// A journal records in a few bytes what a run did since the ledger's rows were
// last written: "h17 s17 h18 r18 " means that delivery 17 was handed over and
// sent, 18 handed over and refused; "f " means that the rows were written and
// that everything before it is obsolete. It is written before each final dot.
// Writing a row of deliveries updates several indexes, so the rows follow in
// batches.
type journal struct {
	handed []int64 // handed over and not answered: at most one per connection, and those that will never be answered
	sent   []int64 // answered, and not yet written to their rows
	text   []byte  // text to be written
}

func (j *journal) handOver(id int64) {
	j.handed = append(j.handed, id)
	j.write('h', id)
}

// answered records that the outcome of a delivery is known, handed over or not.
func (j *journal) answered(id int64, sent bool) {
	handed := slices.Contains(j.handed, id)
	j.forget(id)
	switch {
	case sent:
		j.sent = append(j.sent, id)
		j.write('s', id)
	case handed:
		j.write('r', id)
	}
}

// forget removes a hand-over that was not made, or that is stored in its row by now.
func (j *journal) forget(id int64) {
	if i := slices.Index(j.handed, id); i >= 0 {
		j.handed = slices.Delete(j.handed, i, i+1)
	}
}

func (j *journal) write(what byte, id int64) {
	j.text = append(strconv.AppendInt(append(j.text, what), id, 36), ' ')
}

// rewrite rewrites the text from the current state.
func (j *journal) rewrite() {
	j.text = j.text[:0]
	for _, id := range j.sent {
		j.write('s', id)
	}
	for _, id := range j.handed {
		j.write('h', id)
	}
}

// rewriteAfterFlush rewrites the text after the outcomes in the journal's file were written to
// their rows, and marks it as a replacement of the lines before it.
func (j *journal) rewriteAfterFlush() {
	j.rewrite()
	j.text = append([]byte("f "), j.text...)
}

// without returns the text that remains once all of these outcomes are in their rows.
func (j *journal) without(outcomes []entry) string {
	if len(outcomes) == 0 {
		return string(j.text)
	}
	left := journal{handed: slices.Clone(j.handed)}
	left.settled(outcomes, nil)
	left.rewrite()
	return string(left.text)
}

// settled removes outcomes that are in their rows now; pending are those that are not.
func (j *journal) settled(written, pending []entry) {
	for _, e := range written {
		if e.outcome.state == "uncertain" {
			j.forget(e.id)
		}
	}
	j.sent = j.sent[:0]
	for _, e := range pending {
		if e.outcome.state == "sent" {
			j.sent = append(j.sent, e.id)
		}
	}
}

// parseJournal reads the journal of a run that ended without writing its rows.
// It ignores words that it can't read.
func parseJournal(text string) journal {
	var j journal
	for word := range strings.FieldsSeq(text) {
		if word == "f" {
			j = journal{}
			continue
		}
		id, err := strconv.ParseInt(word[1:], 36, 64)
		if err != nil {
			continue
		}
		switch word[0] {
		case 'h':
			j.handOver(id)
		case 's', 'r':
			j.answered(id, word[0] == 's')
		}
	}
	return j
}

// A journalFile is where a run on SQLite keeps its journal: a file next to the
// database file, since only this host uses that database. An append takes a
// microsecond, a commit of a row fifty. Like SQLite's own log, the file
// survives the end of the process. On PostgreSQL it is one of this host's
// temporary files; if it is missing, only the row counts.
//
// The run holds a lock on its file until it ends in any way: a process that
// gets the lock knows that the run is over.
type journalFile struct {
	file *os.File
	end  int64 // offset after the last written word
}

// errAlive says that the run still holds its journal.
var errAlive = database.ErrLocked

func journalPath(db *database.DB, owner string) string {
	prefix := db.Path()
	if prefix == "" {
		h := fnv.New32a()
		h.Write([]byte(db.String()))
		prefix = filepath.Join(os.TempDir(), fmt.Sprintf("dibao-%08x", h.Sum32()))
	}
	return prefix + "-run-" + strings.ReplaceAll(owner, "/", "-")
}

// createJournal creates the journal of a run.
func createJournal(path string) (*journalFile, error) {
	return lockJournal(path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

// openJournal takes over the journal of a run that ended: errAlive if the run
// is alive, fs.ErrNotExist if it left none.
func openJournal(path string) (*journalFile, error) { return lockJournal(path, os.O_RDWR) }

func lockJournal(path string, flags int) (*journalFile, error) {
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal of a delivery: %w", err)
	}
	if err := database.LockFile(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock the journal %s: %w", path, err)
	}
	return &journalFile{file: f}, nil
}

// append writes all of the words or none.
func (f *journalFile) append(words []byte) error {
	if _, err := f.file.WriteAt(words, f.end); err != nil {
		f.file.Truncate(f.end) // if that also fails, the next append overwrites it
		if errors.Is(err, syscall.ENOSPC) {
			return fmt.Errorf("disk is full: %w; free space and run again: nothing was lost", err)
		}
		return fmt.Errorf("disk failed: journal of a delivery: %w; look for its errors in the system log, and check what is damaged: dibao doctor", err)
	}
	f.end += int64(len(words))
	return nil
}

// read returns the words of the journal. An incomplete last word is dropped: its event
// did not happen.
func (f *journalFile) read() (string, error) {
	text, err := os.ReadFile(f.file.Name())
	if err != nil {
		return "", fmt.Errorf("journal of a delivery: %w", err)
	}
	return string(text[:bytes.LastIndexByte(text, ' ')+1]), nil
}

// close closes the journal; remove deletes the file if nobody needs it any more.
func (f *journalFile) close(remove bool) error {
	var err error
	if remove {
		err = os.Remove(f.file.Name())
	}
	return errors.Join(err, f.file.Close())
}

// sweepJournals removes files of runs that ended between their last commit and
// the removal of their file; known are the runs in the database. It keeps files
// written in the last minute, since their run may be about to lock them.
func sweepJournals(db *database.DB, known func(path string) bool) error {
	prefix := journalPath(db, "")
	entries, err := os.ReadDir(filepath.Dir(prefix))
	if err != nil {
		return fmt.Errorf("journals of deliveries: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(filepath.Dir(prefix), e.Name())
		if !strings.HasPrefix(path, prefix) || known(path) {
			continue
		}
		if info, err := e.Info(); err != nil || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		if f, err := openJournal(path); err == nil {
			f.close(true) // if it can't be removed, a few bytes stay
		}
	}
	return nil
}
