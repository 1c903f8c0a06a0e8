package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dibao/digest/verdict"
	"dibao/feed"
	"dibao/feed/catalog"
	"dibao/feed/ingest"
	"dibao/internal/mail"
	"dibao/policy"
	"dibao/policy/division"
	"dibao/subscribers"
)

func texts[T ~string](all ...T) (out []string) {
	for _, x := range all {
		out = append(out, string(x))
	}
	return out
}

// Every code in a table has a Chinese translation.
func TestCodesInChineseAreWhole(t *testing.T) {
	t.Parallel()
	for heading, all := range map[string][]string{
		"State": slices.Concat(texts(subscribers.States...), []string{"composed", "sending", "paused", "cancelled", "done", "waiting", "claimed", "sent", "failed", "uncertain"},
			texts(feed.StateNew, feed.StateOK, feed.StateFailing, feed.StateBlocked, feed.StateChanged, feed.StateQuiet, feed.StateFlood, feed.StateGone, feed.StatePaused, feed.StateRemoved)),
		"Kind": slices.Concat(texts(policy.Kinds...), ingest.KindNames(),
			texts(mail.ReportBounce, mail.ReportComplaint, mail.ReportUnsubscribe, mail.ReportAutoReply, mail.ReportNotSpam, mail.ReportNotice, mail.ReportOther)),
		"Level":    slices.Concat(texts(division.Levels...), texts(catalog.Levels...)),
		"Lists":    texts(catalog.AllLists...),
		"Evidence": texts(catalog.AllEvidence...),
		"Reason":   {subscribers.ReasonBounce, subscribers.ReasonComplaint, subscribers.ReasonAdmin, subscribers.ReasonForgotten, subscribers.ReasonImported},
		"Class":    {verdict.Unknown.String(), verdict.Temporary.String(), verdict.Permanent.String(), verdict.Policy.String(), verdict.Message.String()},
		"Status": append(texts(policy.StatePromised, policy.StateNotYet, policy.StateInForce, policy.StateExpiring, policy.StateExpired,
			policy.StateRepealed, policy.StateSuperseded, policy.StateWithdrawn), "open", "closed", "ending", "ok", "warning", "failed"),
		"Licence":    texts(feed.LicenceOfficial, feed.LicenceLinkOnly, feed.LicencePermitted, feed.LicenceOwn),
		"Page state": texts(feed.PageComplete, feed.PageWanted, feed.PageMissing),
	} {
		for _, code := range all {
			if Code(heading, code) == code {
				t.Errorf("%s has no Chinese for %q", heading, code)
			}
		}
	}
}

// Every translated code occurs in the program.
func TestCodesInChineseOccur(t *testing.T) {
	t.Parallel()
	var program strings.Builder
	err := filepath.WalkDir("../../..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		program.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	source := program.String()
	for heading, all := range codes() {
		for code := range all {
			stored := strings.TrimPrefix(strings.TrimPrefix(code, "mail "), "imported as ") // prefixes of a state
			if code == "true" || code == "false" {
				continue
			}
			if !strings.Contains(source, `"`+stored+`"`) && !strings.Contains(source, `'`+stored+`'`) {
				t.Errorf("codes.zh.json translates %q under %q, which is nowhere", code, heading)
			}
		}
	}
}
