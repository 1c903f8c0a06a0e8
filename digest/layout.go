package digest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"dibao/feed"
	"dibao/feed/amend"
	"dibao/policy"
	"dibao/policy/division"
)

// The sections of an issue, in reading order: items with a deadline first. Highlights are
// taken out of the other sections when an issue, or a reader's part of it, is laid out.
const (
	sectionForReader       = "forreader" // calls that may concern the reader
	sectionAmended         = "amended"   // calls that a later notice changed
	sectionHighlights      = "highlights"
	sectionDeadlines       = "deadlines"
	sectionEffective       = "effective"
	sectionDocuments       = "documents"
	sectionEnding          = "ending"
	sectionInterpretations = "interpretations"
	sectionSigned          = "signed"
	sectionNews            = "news"
	sectionOther           = "other"
)

var sections = []string{
	sectionForReader, sectionAmended, sectionHighlights, sectionDeadlines, sectionEffective, sectionDocuments, sectionEnding,
	sectionInterpretations, sectionSigned, sectionNews, sectionOther,
}

// The events for which an article of an earlier issue returns, once each.
const (
	eventEffective = "effective" // the document comes into force this week
	eventExpiring  = "expiring"
	eventRepealed  = "repealed"
	eventAmended   = "amended"
)

const (
	// effectiveWithin is the number of days from the due time on that count as "this week".
	effectiveWithin = 7
	// expiringWithin is how many days before its last day a document is expiring.
	expiringWithin = 90
	// oldAfter is the age in days from which an article can't be a highlight.
	oldAfter = 180
	// maxHighlights and minForHighlights: an issue with only a few items needs
	// no highlights.
	maxHighlights    = 5
	minForHighlights = 8
)

// sectionOf returns the section of an item in an issue of today.
func sectionOf(a feed.Article, event string, today policy.Date) string {
	f := a.Facts
	switch {
	case event == eventEffective:
		return sectionEffective
	case amend.ChangesCall(event):
		return sectionAmended
	case reminderDays(event) != 0:
		return sectionDeadlines
	case event != "":
		return sectionEnding
	case !f.DeadlineOn.IsZero() && !f.DeadlineOn.Before(today):
		return sectionDeadlines
	case f.Kind == policy.KindConsultation && f.DeadlineOn.IsZero():
		return sectionDeadlines
	}
	switch f.Kind {
	case policy.KindDocument:
		if within(f.EffectiveOn, today, effectiveWithin) {
			return sectionEffective
		}
		return sectionDocuments
	case policy.KindInterpretation:
		return sectionInterpretations
	case policy.KindSignedArticle:
		return sectionSigned
	case policy.KindNews:
		return sectionNews
	}
	return sectionOther
}

// within reports whether d is today or one of the following days, n days in total.
func within(d, today policy.Date, n int) bool {
	return !d.IsZero() && !d.Before(today) && d.Before(today.AddDays(n))
}

// sortItems puts items in reading order.
func sortItems(items []IssueItem) { slices.SortStableFunc(items, byReadingOrder) }

// byReadingOrder sorts by section; items with a date by it, documents by level
// and type; pinned items first, then the newest.
func byReadingOrder(x, y IssueItem) int {
	a, b := x.Article, y.Article
	if c := cmp.Compare(slices.Index(sections, x.Section), slices.Index(sections, y.Section)); c != 0 {
		return c
	}
	switch x.Section {
	case sectionAmended, sectionDeadlines:
		if c := cmp.Compare(orLast(a.Facts.DeadlineOn), orLast(b.Facts.DeadlineOn)); c != 0 {
			return c
		}
	case sectionEffective:
		if c := cmp.Compare(orLast(a.Facts.EffectiveOn), orLast(b.Facts.EffectiveOn)); c != 0 {
			return c
		}
	case sectionEnding:
		if c := cmp.Compare(orLast(a.Facts.ExpiresOn), orLast(b.Facts.ExpiresOn)); c != 0 {
			return c
		}
	case sectionDocuments:
		if c := cmp.Or(cmp.Compare(levelRank(a), levelRank(b)), cmp.Compare(typeRank(a), typeRank(b))); c != 0 {
			return c
		}
	}
	return cmp.Or(b.PublishedIn(time.UTC).Compare(a.PublishedIn(time.UTC)), cmp.Compare(a.ID, b.ID), cmp.Compare(x.Event, y.Event))
}

func orLast(d policy.Date) string {
	if d.IsZero() {
		return "9999"
	}
	return d.String()
}

var levels = []division.Level{division.Central, division.Ministry, division.Province, division.City, division.County}

// levelRank is the rank of an issuer's level; unknown levels come last.
func levelRank(a feed.Article) int {
	if i := slices.Index(levels, a.Facts.Level); i >= 0 {
		return i
	}
	return len(levels)
}

// types in reading order: rules before texts about them (法 > 行政法规 >
// 决定、意见 > 通知).
var types = [][]string{
	{"法", "条例"}, {"命令", "令", "决定", "决议"}, {"意见", "纲要", "规划"},
	{"规定", "办法", "细则", "规则", "准则", "解释"}, {"方案", "计划", "措施", "目录", "清单", "标准", "指南", "规范"},
	{"通知", "公告", "通告", "公报"}, {"通报", "报告", "纪要", "议案", "请示", "答复", "函"}, {"批复"},
}

func typeRank(a feed.Article) int {
	for i, group := range types {
		if slices.Contains(group, a.Facts.Type) {
			return i
		}
	}
	return len(types)
}

// The reasons why an item leads an issue. The words for pages and emails have the key
// "lead." and this code.
const (
	leadPinned   = "pinned"   // pinned by an admin
	leadLaw      = "law"      // a law or an order of the central government
	leadCentral  = "central"  // issued by the central authorities
	leadRepeals  = "repeals"  // it ends or changes a document that was in force
	leadReposted = "reposted" // reposted by several sites
)

// mustLead is the priority from which an item is always a highlight; mayLead is
// the lowest priority with which it can be one.
const (
	mustLead = 1000
	mayLead  = 100
)

// priorityOf returns the priority of an item as a highlight, and the reason.
// Items with a deadline directly follow the highlights anyway.
func priorityOf(it IssueItem, today policy.Date) (priority int, reason string) {
	a := it.Article
	if it.Pinned {
		return mustLead, leadPinned
	}
	if it.Event != "" || it.Section == sectionDeadlines || it.Section == sectionInterpretations || itemGroup(a) != "" {
		return 0, ""
	}
	if on := a.Facts.PublishedOn; !on.IsZero() && on.Before(today.AddDays(-oldAfter)) {
		return 0, ""
	}
	if a.Facts.Kind == policy.KindDocument {
		switch {
		case a.Facts.Level == division.Central && typeRank(a) <= 1:
			priority, reason = mayLead+80, leadLaw
		case a.Facts.Level == division.Central:
			priority, reason = mayLead+50-5*typeRank(a), leadCentral
		case repeals(a):
			priority, reason = mayLead+20-2*levelRank(a), leadRepeals
		}
	}
	if n := len(it.Same); n >= 3 {
		if reason == "" {
			priority, reason = mayLead, leadReposted
		}
		priority += min(n, 20)
	}
	return priority, reason
}

// repeals reports whether a document ends or changes another one.
func repeals(a feed.Article) bool {
	return slices.ContainsFunc(a.Facts.Citations, func(c policy.Citation) bool {
		return c.Relation == policy.RelationRepeals || c.Relation == policy.RelationAmends
	})
}

// itemGroup returns the group in which an item is combined into one line for its issuer:
// documents that are numerous and matter to few readers. "" means that it is not combined.
func itemGroup(a feed.Article) string {
	title := a.Title()
	switch {
	case a.Facts.Kind != policy.KindDocument:
		return ""
	case a.Facts.Type == "批复":
		return "reply"
	case strings.Contains(title, "任免") || strings.HasSuffix(title, "任职的通知") || strings.HasSuffix(title, "免职的通知"):
		return "appointment"
	case strings.Contains(title, "表彰") || strings.Contains(title, "表扬") || strings.Contains(title, "嘉奖"):
		return "honour"
	}
	return ""
}

// block is a section as it is laid out.
type block struct {
	section string
	items   []IssueItem
}

// layOut puts items into their sections, and a few before all others as highlights.
func layOut(items []IssueItem) []block {
	own := forTheReader(items)
	leads := make([]int, 0, len(items))
	for i, it := range items {
		if own[i] {
			continue
		}
		if it.Priority >= mustLead || it.Priority >= mayLead && len(items) >= minForHighlights {
			leads = append(leads, i)
		}
	}
	slices.SortStableFunc(leads, func(a, b int) int { return cmp.Compare(items[b].Priority, items[a].Priority) })
	leads = leads[:min(len(leads), maxHighlights)]
	byKey := make(map[string][]IssueItem)
	for _, i := range leads {
		byKey[sectionHighlights] = append(byKey[sectionHighlights], items[i])
	}
	others := make([]IssueItem, 0, len(items)) // an interpretation among the highlights does not also appear under its original
	for i, it := range items {
		if !own[i] {
			others = append(others, it)
		}
	}
	under := explanations(others)
	for i, it := range items {
		if own[i] {
			byKey[sectionForReader] = append(byKey[sectionForReader], it)
			continue
		}
		if slices.Contains(leads, i) || it.Event == "" && under.of[it.Article.ID] != 0 {
			continue
		}
		key := it.Section
		if !slices.Contains(sections, key) {
			key = sectionDeadlines // issues of an earlier version have a section for consultations
		}
		byKey[key] = append(byKey[key], it)
	}
	var out []block
	for _, key := range sections {
		if found := byKey[key]; len(found) > 0 {
			switch key {
			case sectionHighlights:
			case sectionForReader:
				slices.SortStableFunc(found, func(x, y IssueItem) int { return cmp.Or(byUnknown(x, y), byDeadline(x, y)) })
			default:
				sortItems(found)
			}
			out = append(out, block{key, under.place(found)})
		}
	}
	return out
}

// maxForReader is how many calls come first in an email; the others are placed as if
// the reader had no profile.
const maxForReader = 12

// forTheReader returns the positions of the calls that come first: those that match
// most of the reader's profile, then those that end soonest.
func forTheReader(items []IssueItem) map[int]bool {
	var at []int
	for i, it := range items {
		if it.Concern != nil {
			at = append(at, i)
		}
	}
	slices.SortStableFunc(at, func(a, b int) int {
		return cmp.Or(byUnknown(items[a], items[b]), cmp.Compare(len(items[b].Concern.Why), len(items[a].Concern.Why)), byDeadline(items[a], items[b]))
	})
	own := make(map[int]bool, len(at))
	for _, i := range at[:min(len(at), maxForReader)] {
		own[i] = true
	}
	return own
}

// byUnknown places calls whose addressees are not understood last.
func byUnknown(x, y IssueItem) int {
	switch a, b := x.Concern.IsUnknown(), y.Concern.IsUnknown(); {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func byDeadline(x, y IssueItem) int {
	return cmp.Or(cmp.Compare(orLast(x.Article.Facts.DeadlineOn), orLast(y.Article.Facts.DeadlineOn)), byReadingOrder(x, y))
}

// explained says which items of an email explain which others.
type explained struct {
	of map[int64]int64       // by article: the article that it explains
	by map[int64][]IssueItem // by article: the items that explain it, in the order of the email
}

// explanations finds the interpretations whose original is in the same email.
func explanations(items []IssueItem) explained {
	e := explained{make(map[int64]int64), make(map[int64][]IssueItem)}
	articles := make(map[int64]int64)
	for _, it := range items {
		if it.Document != 0 && articles[it.Document] == 0 && itemGroup(it.Article) == "" {
			articles[it.Document] = it.Article.ID
		}
	}
	for _, it := range items {
		original := articles[it.Explains]
		if it.Explains == 0 || original == 0 || original == it.Article.ID || it.Event != "" || it.Priority >= mustLead || it.Section == sectionDeadlines || itemGroup(it.Article) != "" {
			continue
		}
		it.Under = original
		e.of[it.Article.ID] = original
		e.by[original] = append(e.by[original], it)
	}
	for article, original := range e.of { // explanations are not nested
		if e.of[original] != 0 {
			e.by[original] = slices.DeleteFunc(e.by[original], func(it IssueItem) bool { return it.Article.ID == article })
			delete(e.of, article)
		}
	}
	return e
}

// place puts explanations after the items that they explain.
func (e explained) place(items []IssueItem) []IssueItem {
	out := make([]IssueItem, 0, len(items))
	for _, it := range items {
		out = append(append(out, it), e.by[it.Article.ID]...)
		delete(e.by, it.Article.ID) // the article may also be here for an event
	}
	return out
}
