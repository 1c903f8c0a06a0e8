package mail

import (
	"bufio"
	"bytes"
	"testing"
	"unicode/utf8"
)

// FuzzReadReply reads what a server may send as replies. Whatever it is, the
// reader ends, keeps to its limits and hands on text.
func FuzzReadReply(f *testing.F) {
	for _, s := range []string{"250 ok\r\n", "250-a\r\n250 b\r\n", "550 5.1.1 no such user\r\n", "421\r\n", "2\r\n", "250-a\r\n251 b\r\n", "\x00\xff\n", "999 x\r\n", "550-5.7.1 a\r\n550 5.7.1 b\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		c := &Conn{r: bufio.NewReaderSize(bytes.NewReader(sent), maxReplyLine), usable: true}
		for range 100 {
			r, err := c.readReply()
			if err != nil {
				if c.usable {
					t.Error("a connection with a broken reply is used again")
				}
				return
			}
			e := r.err("RCPT")
			if e.Code < 200 || e.Code > 599 || !utf8.ValidString(e.Error()) || len(r.lines) == 0 || len(r.lines) > maxReplyLines {
				t.Errorf("%q is read as %+v", sent, e)
			}
		}
	})
}
