package notice

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"dibao/digest/channel"
	"dibao/digest/delivery"
	"dibao/templates"
)

// Each notice states the problem in its title, and then what to do.
func TestNoticesSayWhatToDo(t *testing.T) {
	t.Parallel()
	reply := "450 4.7.1 Frequency limited"
	report := delivery.MailingReport{Mailing: 12, DueAt: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), Sent: 970, Waiting: 20, Claimed: 5, Failed: 3, SuppressedReaders: 1}
	for _, x := range []struct {
		notice      delivery.Notice
		title, text string
		command     string
	}{
		{delivery.Notice{Kind: delivery.NoticeDone, Mailing: 12, Report: report}, "Mailing 12 is done, 970 sent", "1 reader gets no more mail, because servers refused them", "dibao issue report 12"},
		{delivery.Notice{Kind: delivery.NoticeStuck, Mailing: 12, Report: report}, "Mailing 12 is stuck, 25 emails wait", "tries them for two days", "dibao mail doctor"},
		{delivery.Notice{Kind: delivery.NoticePolicy, Mailing: 12, Domain: "qq.com", Text: "550 5.7.1 blocked"}, "qq.com refuses our mail by its policy", "answered: 550 5.7.1 blocked.", "dibao issue resend 12 --failed"},
		{delivery.Notice{Kind: delivery.NoticeRefused, Domain: "smtp.example:465", Text: "server answered 535 no (auth)"}, "smtp.example:465 refuses our mail before we name a recipient", "535 no", "dibao issue send"},
		{delivery.Notice{Kind: delivery.NoticePending, Mailing: 12, Text: "550 gone"}, "Many readers would be suppressed by mailing 12", "suppresses none of them", "dibao bounce list --pending"},
		{delivery.Notice{Kind: delivery.NoticePending, Mailing: 12, Domain: "qq.com", Text: "550 gone"}, "Many readers at qq.com would be suppressed by mailing 12", "suppresses none of them", "dibao bounce apply --domain qq.com"},
		{delivery.Notice{Kind: delivery.NoticeMessage, Mailing: 12, Domain: "a.example", Text: "552 <too> large"}, "A message of mailing 12 can't be delivered", "552 <too> large", "dibao issue report 12"},
	} {
		letter := Letter(x.notice, time.UTC)
		letter.SiteName = "邸报"
		letter.Rows = append(letter.Rows, DomainRows([]delivery.DomainReport{{Domain: "done.example", Sent: 5}, {Domain: "qq.com", Waiting: 25, Reply: &reply}})...)
		letter = In(letter, false)
		m, err := letter.Mail()
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(m.Text), " ")
		for _, want := range []string{x.text, x.command, "qq.com 0 sent, 25 waiting, 0 failed: " + reply} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the mail lacks %q:\n%s", x.notice.Kind, want, m.Text)
			}
		}
		if letter.Title != x.title || strings.Contains(m.Text, "done.example") || strings.Contains(m.HTML, "<too>") {
			t.Errorf("%s: title %q\n%s", x.notice.Kind, letter.Title, m.Text)
		}
		inChinese := Letter(x.notice, time.UTC)
		unknown := "User unknown: 1 failed, 0 waiting"
		inChinese.Rows = append(inChinese.Rows, DomainRows([]delivery.DomainReport{{Domain: "a.example", Failed: 1, Reply: &unknown}})...)
		chinese := In(inChinese, true)
		if last := chinese.Rows[len(chinese.Rows)-1]; last.Value != "已发 0，等待 0，失败 1："+unknown {
			t.Errorf("the row of a domain in Chinese: %q", last.Value)
		}
		chinese.Rows = chinese.Rows[:len(chinese.Rows)-1]
		for _, s := range append([]string{chinese.Title, chinese.Lead}, rowNames(chinese)...) {
			if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
				t.Errorf("%s: %q is not Chinese", x.notice.Kind, s)
			}
		}
	}
}

func TestNoticesOfChannels(t *testing.T) {
	t.Parallel()
	for state, title := range map[string]string{
		"failed":    "Channel 3 (wecom) did not get mailing 12",
		"waiting":   "Channel 3 (wecom) has not accepted mailing 12 yet",
		"uncertain": "Channel 3 (wecom) may already have received mailing 12",
	} {
		x := channel.Trouble{Channel: 3, Mailing: 12, Kind: "wecom", Host: "qyapi.weixin.qq.com", State: state, Reply: "93000 invalid webhook url"}
		letter := In(Channel(x), false)
		m, err := letter.Mail()
		if err != nil {
			t.Fatal(err)
		}
		if letter.Title != title || !strings.Contains(m.Text, "93000 invalid") || !strings.Contains(m.Text, "dibao issue re") {
			t.Errorf("%s: %q\n%s", state, letter.Title, m.Text)
		}
		chinese := In(Channel(x), true)
		for _, s := range append([]string{chinese.Title, chinese.Lead}, chinese.Remarks...) {
			if !strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }) || strings.Contains(s, "wecom") {
				t.Errorf("%s: %q is not Chinese", state, s)
			}
		}
	}
}

func rowNames(l templates.Letter) (names []string) {
	for _, r := range l.Rows {
		names = append(names, r.Name)
	}
	return names
}
