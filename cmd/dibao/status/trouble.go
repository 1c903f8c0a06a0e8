package status

import (
	"fmt"
	"strings"
	"time"

	"dibao/cmd/dibao/cli"
	"dibao/digest/delivery"
	"dibao/internal/redact"
)

// Trouble says in one English sentence what is wrong with mailings, and why; commands help, in
// this order.
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
		return fmt.Sprintf("no mail server can be reached; %d emails wait, next try %s: %s", emails, next, reply), []string{"dibao mail doctor"}
	case delivery.TroubleRefused:
		return fmt.Sprintf("%s refuses our mail before we name a recipient; next try %s: %s", *t.Name, next, reply), []string{"dibao mail doctor", "dibao issue send"}
	case delivery.TroublePolicy:
		return fmt.Sprintf("%s refuses our mail by its policy; %d emails wait until %s: %s", *t.Name, emails, next, reply), []string{"dibao mail doctor", "dibao issue send"}
	case delivery.TroubleIdle:
		return fmt.Sprintf("no process sends mail; mailing %d has been due since %s, and %d emails wait", *t.Mailing, cli.ShortTime(*t.Since, zone), emails), []string{"dibao issue send"}
	case delivery.TroubleStuck:
		return fmt.Sprintf("mailing %d: %d emails have waited since the first try at %s: %s", *t.Mailing, emails, cli.ShortTime(*t.Since, zone), reply), []string{fmt.Sprintf("dibao issue report %d", *t.Mailing)}
	}
	return fmt.Sprintf("%d of %d emails of mailing %d failed: %s", emails, *t.All, *t.Mailing, reply),
		[]string{fmt.Sprintf("dibao issue report %d", *t.Mailing), fmt.Sprintf("dibao issue resend %d --failed", *t.Mailing)}
}

// TroubleLine returns the sentence with the commands, in English.
func TroubleLine(t delivery.Trouble, zone *time.Location) string {
	sentence, commands := Trouble(t, zone)
	advice := fmt.Sprintf("to go on, run: %s", strings.Join(commands, ", "))
	return sentence + "; " + advice
}
