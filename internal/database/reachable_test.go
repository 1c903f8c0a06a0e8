package database

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"syscall"
	"testing"
)

// Errors of files and of time limits are not those of the connection to the server.
func TestIsUnreachable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want bool
	}{
		{fmt.Errorf("connect: %w", &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}), true},
		{fmt.Errorf("connect: %w", &net.DNSError{Err: "no such host"}), true},
		{fmt.Errorf("open: %w", &fs.PathError{Op: "open", Path: "dibao.db", Err: syscall.EACCES}), false},
		{syscall.ENOSPC, false},
		{context.DeadlineExceeded, false},
		{errors.New("a mistake"), false},
	} {
		if got := isUnreachable(c.err); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
}
