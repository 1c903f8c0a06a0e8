package digest

import (
	netmail "net/mail"
	"strconv"
	"strings"

	"dibao/policy"
	"dibao/templates"
)

// outline is the content of an email in its order, before it is rendered.
type outline struct {
	edited
	templates.DigestHead
	foot   templates.DigestFoot
	blocks []block
	day    policy.Date
	today  string
}

// outline decides on the subject, the preheader and the sections of an email.
func (s *Service) outline(e edited, from netmail.Address) outline {
	title, number, archive := titleOf(e)
	numbers, more := numberText(e), remarks(e)
	if e.reminder {
		title, number, archive = templates.Words(e.language, "reminder.title"), 0, nil
		numbers, more = "", []string{templates.Words(e.language, "reminder.why")}
	}
	day := localDate(e.due, e.issues[0].List.Zone)
	v := outline{
		edited: e, blocks: layOut(e.items), day: day, today: day.String(),
		DigestHead: templates.DigestHead{
			Language: e.language, SiteName: s.opts.SiteName, Title: title, Number: numbers, Date: dateText(e.language, "date.long", day), Total: len(e.items),
		},
		foot: templates.DigestFoot{
			Language: e.language, HomeURL: s.opts.BaseURL + "/", ArchiveURL: s.opts.BaseURL + "/", Remarks: more,
			Sender: from.Name + " · " + s.opts.BaseURL,
		},
	}
	if archive != nil {
		v.foot.ArchiveURL = s.IssueURL(*archive)
	}
	var notes []string
	for _, i := range e.issues {
		if !e.reminder && i.Note != "" {
			notes = append(notes, i.Note)
		}
	}
	v.Note = strings.Join(notes, "\n")
	lead := ""
	for _, b := range v.blocks {
		if first := b.items[0]; lead == "" && (b.section != sectionForReader || !first.Concern.IsUnknown()) {
			lead = first.Article.Title()
		}
		v.Counts = append(v.Counts, templates.Words(e.language, "section."+b.section)+" "+strconv.Itoa(len(b.items)))
	}
	if lead == "" && len(v.blocks) > 0 {
		lead = v.blocks[0].items[0].Article.Title()
	}
	v.Subject = templates.Subject(e.language, title, number, lead)
	v.Preheader = preheader(v.blocks)
	return v
}

// titleOf returns the title of an email, the number of its issue (0 for several lists) and
// the issue whose page is its archive page, nil if there are several.
func titleOf(e edited) (title string, number int, archive *Issue) {
	var titles []string
	seen := make(map[int64]bool)
	for i, issue := range e.issues {
		if !seen[issue.List.ID] {
			seen[issue.List.ID] = true
			titles = append(titles, issue.List.Title)
		}
		if issue.Number > 0 && (archive == nil || issue.Number > archive.Number) {
			archive = &e.issues[i]
		}
	}
	if len(titles) > 1 {
		return strings.Join(titles, " · "), 0, nil
	}
	if archive != nil {
		number = int(archive.Number)
	}
	return titles[0], number, archive
}

// numberText returns the number of the issue in an email in words, "" for several lists.
func numberText(e edited) string {
	var least, most int64
	for _, i := range e.issues {
		if i.List.ID != e.issues[0].List.ID {
			return ""
		}
		if i.Number > 0 && (least == 0 || i.Number < least) {
			least = i.Number
		}
		most = max(most, i.Number)
	}
	switch {
	case most == 0:
		return ""
	case least < most:
		return templates.Words(e.language, "mail.numbers", least, most)
	}
	return templates.Words(e.language, "mail.number", most)
}

// remarks returns the lines below the items.
func remarks(e edited) (out []string) {
	late, backfill := 0, 0
	for _, it := range e.items {
		if it.Article.Facts.LateDays > 0 {
			late++
		}
	}
	if len(e.items) > 0 {
		for _, i := range e.issues {
			backfill += i.Backfill
		}
	}
	if late > 0 {
		out = append(out, templates.Words(e.language, "mail.latecount", late))
	}
	if backfill > 0 {
		out = append(out, templates.Words(e.language, "mail.backfill", backfill))
	}
	return out
}

// preheader is what a mail program shows next to the subject: the titles after the first.
func preheader(blocks []block) string {
	var titles []string
	for _, b := range blocks {
		for _, it := range b.items[:min(len(b.items), 5)] {
			titles = append(titles, it.Article.Title())
		}
	}
	return strings.Join(titles[min(1, len(titles)):min(5, len(titles))], " · ")
}
