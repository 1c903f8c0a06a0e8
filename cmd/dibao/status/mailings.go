package status

import (
	"fmt"
	"strings"

	"dibao/cmd/dibao/cli"
	"dibao/digest"
	"dibao/digest/delivery"
	"dibao/templates"
)

// namedIssues is how many issues of a mailing IssueNames names.
const namedIssues = 3

// IssueNames names the issues of a mailing by list and number, in a language; "" for a
// mailing of none, such as reminders.
func IssueNames(issues []digest.Issue, language string) string {
	names := make([]string, min(len(issues), namedIssues))
	for i := range names {
		names[i] = templates.Words(language, "issue.title", issues[i].List.Title, issues[i].Number)
	}
	text := strings.Join(names, templates.Words(language, "comma"))
	if more := len(issues) - len(names); more > 0 {
		text += fmt.Sprintf(" +%d", more)
	}
	return text
}

// NoEmails returns, in English, why a mailing has no emails; "" if it has some, or if
// the reason is not known.
func NoEmails(m delivery.MailingReport) string {
	if m.Emails() > 0 || m.Skipped == nil {
		return ""
	}
	var parts []string
	for _, p := range []struct {
		count  int
		format string
	}{
		{m.Skipped.NothingNew, "nothing is new for %d readers"},
		{m.Skipped.Later, "%d readers chose a later email"},
		{m.Skipped.Suppressed, "%d readers are suppressed"},
		{m.Skipped.Unconfirmed, "%d readers have not confirmed"},
	} {
		if p.count > 0 {
			parts = append(parts, fmt.Sprintf(p.format, p.count))
		}
	}
	if len(parts) == 0 {
		return "no reader has subscribed"
	}
	return strings.Join(parts, ", ")
}

func (st Snapshot) printMailings(s *screen) {
	s.head("MAILINGS")
	if len(st.Mailings) == 0 {
		s.item(s.text("none yet"))
	}
	for _, m := range st.Mailings {
		state := s.text("%s: %d of %d sent, %d failed, %d waiting", m.State, m.Sent, m.Emails(), m.Failed, m.Waiting+m.Claimed)
		why := NoEmails(m)
		if why != "" {
			state = s.text("no emails")
		}
		s.columns([]int{4, 14, 16}, fmt.Sprint(m.Mailing), strings.Join(st.MailingLists[m.Mailing], ", "), cli.ShortTime(m.DueAt, st.Zone), state)
		if why != "" {
			s.detail(why)
		}
	}
	for _, t := range st.Troubles {
		sentence, commands := Trouble(t, st.Zone)
		s.detail(sentence)
		s.detail(Advice(commands))
	}
	if n := st.Digest.Pending; n > 0 {
		s.item(s.text("%d suppressions wait for you; see: dibao bounce list --pending", n))
	}
	if len(st.Digest.Reports) > 0 {
		s.item(s.text("reports of the last 7 days: %s", s.counts("Kind", st.Digest.Reports)))
	}
}
