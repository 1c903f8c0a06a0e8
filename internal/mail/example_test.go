package mail_test

import (
	"bytes"
	"fmt"
	netmail "net/mail"
	"time"

	"dibao/internal/mail"
)

// A message is prepared once and assembled for each reader: the reader's own parts replace
// marks.
func ExamplePrepare() {
	text := "您好：\n退订："
	p, err := mail.Prepare(mail.Message{
		From: netmail.Address{Name: "邸报", Address: "dibao@policy.example"}, Subject: "第 1 期", Date: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC),
		TextOnly: true, TextPieces: []mail.Piece{mail.Encode(text, mail.Mark{At: len(text), Slot: 0})},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, reader := range []string{"a@reader.example", "b@reader.example"} {
		raw, err := p.Append(nil, mail.Personal{
			To: netmail.Address{Address: reader}, MessageID: reader, Slots: []string{"https://policy.example/u/" + reader[:1]},
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		m, err := netmail.ReadMessage(bytes.NewReader(raw))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(m.Header.Get("To"), m.Header.Get("Message-Id"))
	}
	// Output:
	// <a@reader.example> <a@reader.example>
	// <b@reader.example> <b@reader.example>
}
