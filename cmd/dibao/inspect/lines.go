package inspect

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/digest/verdict"
	"dibao/feed/ingest/sanitize"
	"dibao/internal/fetch"
	"dibao/internal/mail"
	"dibao/policy"
)

// newInspectLines returns the commands that answer each line of standard input with a line
// on standard output.
func newInspectLines() []*cobra.Command {
	verbs := []struct {
		use, short string
		answer     func(out io.Writer, line string) error
	}{
		{"number", "Read document numbers: lines on stdin, raw and canonical on stdout", answerNumber},
		{"title", "Read titles: lines on stdin, JSON lines on stdout", answerTitle},
		{"reply", "Classify SMTP replies: lines on stdin, class, whether to suppress, and retry-after on stdout", answerReply},
		{"url", "Check, without connecting, whether the addresses on stdin may be fetched", answerURL},
		{"html", "Sanitize markup: JSON strings on stdin and stdout", answerHTML},
	}
	cmds := make([]*cobra.Command, 0, len(verbs))
	for _, v := range verbs {
		cmds = append(cmds, &cobra.Command{
			Use: v.use, Short: v.short, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				in := bufio.NewScanner(cmd.InOrStdin())
				in.Buffer(nil, maxInput)
				out := bufio.NewWriter(cmd.OutOrStdout())
				for n := 1; in.Scan(); n++ {
					if err := v.answer(out, in.Text()); err != nil {
						out.Flush()
						return fmt.Errorf("line %d: %w", n, err)
					}
				}
				if err := in.Err(); err != nil {
					return fmt.Errorf("read lines: %w; a line has at most %d MB", err, maxInput>>20)
				}
				return out.Flush()
			},
		})
	}
	return cmds
}

func answerNumber(out io.Writer, line string) error {
	canonical, _ := policy.ParseNumber(line)
	_, err := fmt.Fprintf(out, "%s\t%s\n", line, canonical)
	return err
}

func answerTitle(out io.Writer, line string) error {
	t := policy.ParseTitle(line)
	return cli.WriteJSON(out, struct {
		Title    string   `json:"title"`
		Issuer   *string  `json:"issuer"`
		Issuers  []string `json:"issuers"`
		Subject  *string  `json:"subject"`
		Type     *string  `json:"type"`
		Inner    []string `json:"inner"`
		Relation *string  `json:"relation"`
		Number   *string  `json:"number"`
		Marker   *string  `json:"marker"`
	}{
		t.Title, cli.Null(strings.Join(t.Issuers, "、")), append([]string{}, t.Issuers...), cli.Null(t.Subject), cli.Null(t.Type),
		append([]string{}, t.Inner...), cli.Null(t.Relation), cli.Null(t.Number), cli.Null(t.Marker),
	})
}

// answerReply prints what a reply means, whether it suppresses the reader, and
// retry-after in seconds: empty if the same email is not tried again. A line is
// PHASE<TAB>DOMAIN<TAB>REPLY, DOMAIN<TAB>REPLY or REPLY; the default phase is rcpt. A
// line that is not a reply describes how a connection ended.
func answerReply(out io.Writer, line string) error {
	fields := strings.SplitN(mail.DecodeText([]byte(line)), "\t", 3)
	phase, domain, reply := "rcpt", "", fields[len(fields)-1]
	switch len(fields) {
	case 3:
		phase, domain = fields[0], fields[1]
	case 2:
		domain = fields[0]
	}
	asked, ok := replyPhases[phase]
	if !ok {
		return fmt.Errorf("%q is not a phase; use connect, ehlo, auth, mail, rcpt, data or dot", phase)
	}
	code, enhanced, text, ok := verdict.ParseReply(reply)
	class, suppress, retry := "unknown", false, ""
	switch {
	case ok && code < 400:
		class = "sent"
	case ok:
		v := verdict.Judge(verdict.Reply{Phase: asked, Domain: domain, Code: code, Enhanced: enhanced, Text: text})
		class, suppress = v.Class.String(), v.Suppress
		if v.Retries() {
			retry = strconv.Itoa(int(cmp.Or(v.Retry, verdict.Backoff(1, 0.5)) / time.Second))
		}
	case brokenOff.MatchString(reply):
		class, retry = verdict.Temporary.String(), strconv.Itoa(int(verdict.Backoff(1, 0.5)/time.Second))
	}
	_, err := fmt.Fprintf(out, "%s\t%t\t%s\n", class, suppress, retry)
	return err
}

// replyPhases are the phases of "inspect reply".
var replyPhases = map[string]verdict.Phase{
	"connect": verdict.PhaseGreeting, "ehlo": verdict.PhaseEHLO, "auth": verdict.PhaseAuth, "mail": verdict.PhaseMail,
	"rcpt": verdict.PhaseRcpt, "data": verdict.PhaseData, "dot": verdict.PhaseDot,
}

var brokenOff = regexp.MustCompile(`(?i)connection (?:refused|reset|timed out|closed|lost)|timed? ?out|no route|unreachable|broken pipe|\bEOF\b`)

func answerURL(out io.Writer, line string) error {
	verdict := "allow"
	_, reason := fetch.CheckURL(unescapeTarget.Replace(line))
	if reason != "" {
		verdict = "block"
	}
	_, err := fmt.Fprintf(out, "%s\t%s\t%s\n", verdict, reason, line)
	return err
}

// unescapeTarget reverses the escapes with which an address that contains a tab fits on one
// line.
var unescapeTarget = strings.NewReplacer(`\t`, "\t", `\\`, `\`)

func answerHTML(out io.Writer, line string) error {
	if strings.TrimSpace(line) == "" {
		return nil
	}
	var markup string
	if err := json.Unmarshal([]byte(line), &markup); err != nil {
		return fmt.Errorf("%w; each line is one JSON string", err)
	}
	return cli.WriteJSON(out, sanitize.Clean(markup, ""))
}
