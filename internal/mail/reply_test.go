package mail

import (
	"bufio"
	"bytes"
	"testing"
	"unicode/utf8"
)

// FuzzReadReply reads any bytes of a server as replies: the reader ends, stays within its
// limits and returns valid text.
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

// A ministry's server gives its reason for a refusal in GB2312; undecoded, the words
// matched no line of the table and the reader was suppressed.
func TestReplyInGB18030IsDecoded(t *testing.T) {
	sent := append([]byte("550 black ip. ("), 0xb7, 0xa2, 0xd0, 0xc5, 'I', 'P', 0xb1, 0xbb, 0xbd, 0xfb, 0xd6, 0xb9)
	sent = append(sent, ")\r\n"...)
	c := &Conn{r: bufio.NewReaderSize(bytes.NewReader(sent), maxReplyLine), usable: true}
	r, err := c.readReply()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.err("rcpt").Text, "black ip. (发信IP被禁止)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
