package status

import (
	"fmt"
	"strings"
	"time"

	"dibao/cmd/dibao/cli"
	"dibao/digest/delivery"
	"dibao/internal/redact"
)

// Trouble says in one English sentence what is wrong with mailings, and why, and returns the
// commands that help, in this order.
func Trouble(t delivery.Trouble, zone *time.Location) (sentence string, commands []string) {
	reply, next, emails := "", "", 0
	if t.Reply != nil {
		reply = cli.Clip(redact.Text(*t.Reply), 200)
	}
	if t.NextAt != nil {
		next = cli.ShortTime(*t.NextAt, zone)
	}
	if t.Emails != nil {
		emails = *t.Emails
	}
	switch t.Kind {
	case delivery.TroubleUnreached:
		return fmt.Sprintf("no mail server can be reached: %v; next try %s, and %d emails wait", reply, next, emails), []string{"dibao mail doctor"}
	case delivery.TroubleRefused:
		return fmt.Sprintf("%s refuses our mail before we name a recipient: %v; dibao tries at %s again with one message", *t.Name, reply, next), []string{"dibao mail doctor", "dibao issue send"}
	case delivery.TroublePolicy:
		return fmt.Sprintf("%s refuses our mail by its policy: %v; until %s, %d emails wait", *t.Name, reply, next, emails), []string{"dibao mail doctor", "dibao issue send"}
	case delivery.TroubleIdle:
		return fmt.Sprintf("no process sends mail; mailing %d has been due since %s, and %d emails wait", *t.Mailing, cli.ShortTime(*t.Since, zone), emails), []string{"dibao issue send"}
	case delivery.TroubleStuck:
		return fmt.Sprintf("mailing %d has been stuck since %s: %v; %d emails wait", *t.Mailing, cli.ShortTime(*t.Since, zone), reply, emails), []string{fmt.Sprintf("dibao issue report %d", *t.Mailing)}
	}
	return fmt.Sprintf("mailing %d did not reach all readers: %v; %d of %d emails failed", *t.Mailing, reply, emails, *t.All),
		[]string{fmt.Sprintf("dibao issue report %d", *t.Mailing), fmt.Sprintf("dibao issue resend %d --failed", *t.Mailing)}
}

// Advice names the commands that help, in English.
func Advice(commands []string) string {
	return fmt.Sprintf("to go on, run: %s", strings.Join(commands, ", "))
}
