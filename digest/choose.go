package digest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"dibao/digest/forreader"
	"dibao/feed"
	"dibao/feed/amend"
	"dibao/feed/filter"
	"dibao/internal/database"
	"dibao/subscribers"
)

// waiting is an issue whose articles wait for a later email to a reader.
type waiting struct{ subscriber, list, issue int64 }

// composedIssue is an issue with what a chooser needs to know about it.
type composedIssue struct {
	issue   Issue
	items   []IssueItem
	notices forreader.Notices
}

// chooser decides what each reader of a mailing gets: of every list that is
// due, the articles of its issue, of earlier issues that wait for the reader,
// and of deliveries that failed lately; of these, the articles that match the
// reader's choices and that no earlier email contained; each text once.
type chooser struct {
	s       *Service
	mailing int64
	due     time.Time
	current map[int64]*composedIssue   // by list
	older   map[int64][]*composedIssue // by list, oldest first, back to the first issue that a reader waits for
	zones   map[int64]*time.Location
	unnoted []mailed // articles of the mailing that noteItems has not stored yet

	version   int64              // the version of the composition when prior was found
	prior     map[int64][]mailed // by variant of another mailing: those of its articles that this mailing may contain
	priorIn   []int64            // the mailings of those variants
	memo      map[string]*content
	filtered  map[string][]chosenItem
	ofVariant map[int64][]int64 // by variant: the lists of which it contains articles

	// For the current page of readers:
	firstWaiting map[int64]map[int64]int64 // by reader and list: the first issue that waits
	sent         map[int64][]int64         // by reader: variants of prior, sorted
	lastOn       map[int64]map[int64]time.Time
	missing
}

// maxMemo limits the number of results that are kept for readers with equal preferences.
const maxMemo = 50_000

func (s *Service) newChooser(ctx context.Context, mailing int64, due time.Time, issues []Issue) (c *chooser, err error) {
	c = &chooser{
		s: s, mailing: mailing, due: due, current: make(map[int64]*composedIssue), older: make(map[int64][]*composedIssue), zones: make(map[int64]*time.Location),
		memo: make(map[string]*content), filtered: make(map[string][]chosenItem), ofVariant: make(map[int64][]int64),
	}
	for _, i := range issues {
		e, err := s.composedIssue(ctx, i)
		if err != nil {
			return nil, err
		}
		c.current[i.List.ID] = e
		c.note(e)
		if c.zones[i.List.ID], err = time.LoadLocation(i.List.Zone); err != nil {
			return nil, fmt.Errorf("zone of list %s: %w", i.List.Slug, err)
		}
	}
	if c.version, err = s.compositionVersion(ctx); err != nil {
		return nil, err
	}
	if err := c.lookMissing(ctx); err != nil {
		return nil, err
	}
	return c, c.findPrior(ctx)
}

// composedIssue reads an issue without articles that have been withdrawn or held since.
func (s *Service) composedIssue(ctx context.Context, i Issue) (*composedIssue, error) {
	items, err := s.shownItems(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	notices, err := s.notices(ctx, items)
	return &composedIssue{i, items, notices}, err
}

// shownItems returns the items of an issue without those that have been withdrawn or held
// since.
func (s *Service) shownItems(ctx context.Context, issue int64) ([]IssueItem, error) {
	items, err := s.IssueItems(ctx, issue)
	return slices.DeleteFunc(items, func(it IssueItem) bool { return isWithheld(it.Article) }), err
}

// notices reads the calls among items.
func (s *Service) notices(ctx context.Context, items []IssueItem) (forreader.Notices, error) {
	articles := make([]feed.Article, len(items))
	for i, it := range items {
		articles[i] = it.Article
	}
	return forreader.Load(ctx, s.articles, articles)
}

func (c *chooser) note(e *composedIssue) {
	for _, it := range e.items {
		c.unnoted = append(c.unnoted, mailed{it.Article.ID, it.Event})
	}
}

// chosen is what a reader gets, which issues wait for the reader from now on, and which no
// longer wait.
type chosen struct {
	content       *content // nil means no email
	later         bool     // no email now, since the reader chose a pause or fewer emails
	waits, served []waiting
}

// choose returns what a reader of the page gets.
func (c *chooser) choose(r subscribers.Reader) (out chosen) {
	var lists []int64
	firstWaiting := c.firstWaiting[r.ID]
	for _, list := range r.Lists {
		current := c.current[list]
		switch {
		case current == nil:
		case c.takesMail(r, list):
			lists = append(lists, list)
			if first, ok := firstWaiting[list]; ok {
				out.served = append(out.served, waiting{r.ID, list, first})
			}
		case current.issue.Number > 0 && firstWaiting[list] == 0:
			out.waits = append(out.waits, waiting{r.ID, list, current.issue.ID})
		}
	}
	if len(lists) == 0 {
		out.later = true
		return out
	}
	slices.Sort(lists)
	key := c.preferences(r, lists, firstWaiting)
	got, ok := c.memo[key]
	if !ok {
		got = c.assemble(r, lists, firstWaiting)
		if len(c.memo) > maxMemo {
			clear(c.memo)
		}
		c.memo[key] = got
	}
	out.content = got
	return out
}

// preferences identifies everything about a reader that determines what they get: two
// readers with equal preferences get the same.
func (c *chooser) preferences(r subscribers.Reader, lists []int64, firstWaiting map[int64]int64) string {
	key := make([]byte, 0, 64)
	key = append(key, r.Language...)
	key = append(key, '|')
	key = append(key, r.Format...)
	if r.WantsEmpty {
		key = append(key, '|')
	}
	if r.Profile != nil {
		key = append(append(key, 'P'), database.JSON(r.Profile)...)
	}
	for _, list := range lists {
		key = binary.AppendVarint(append(key, 'L'), list)
		key = binary.AppendVarint(key, firstWaiting[list])
		if choice, ok := r.Choices[list]; ok {
			key = append(key, choiceKey(choice)...)
		}
	}
	for _, variant := range c.sent[r.ID] {
		key = binary.AppendVarint(append(key, 'V'), variant)
	}
	for _, p := range c.missedBy(r.ID, lists) {
		key = binary.AppendVarint(binary.AppendVarint(append(key, 'M'), p.issue), p.variant)
	}
	return string(key)
}

func choiceKey(c subscribers.Choice) string {
	if len(c.Themes)+len(c.Regions) == 0 {
		return ""
	}
	return strings.Join(c.Themes, "\x00") + "\x01" + strings.Join(c.Regions, "\x00") + "\x02"
}

// chosenItem is an item that matches a reader's choice, and why.
type chosenItem struct {
	item *IssueItem
	why  []filter.Reason
}

// taken returns the items of a composed issue that match a choice.
func (c *chooser) taken(e *composedIssue, choice subscribers.Choice) []chosenItem {
	key := fmt.Sprint(e.issue.ID, " ", choiceKey(choice))
	if items, ok := c.filtered[key]; ok {
		return items
	}
	query := filter.Query{Themes: choice.Themes, Regions: choice.Regions}
	items := make([]chosenItem, 0, len(e.items))
	for i := range e.items {
		if why, ok := query.Match(e.items[i].Article); ok {
			items = append(items, chosenItem{&e.items[i], why})
		}
	}
	if len(c.filtered) > maxMemo {
		clear(c.filtered)
	}
	c.filtered[key] = items
	return items
}

// assemble merges the issues of a reader's lists: each text once, in the first list
// that has it, without texts that the reader already got.
func (c *chooser) assemble(r subscribers.Reader, lists []int64, firstWaiting map[int64]int64) *content {
	out := &content{language: r.Language, format: cmp.Or(r.Format, subscribers.HTML)}
	got := make(map[mailed]bool)
	for _, variant := range c.sent[r.ID] {
		for _, m := range c.prior[variant] {
			got[m] = true
		}
	}
	before := maps.Clone(got)
	add := func(e *composedIssue, choice subscribers.Choice, part missedPart) {
		for _, x := range c.taken(e, choice) {
			same := x.item.identities()
			if !c.contains(part, *x.item) {
				continue
			}
			if slices.ContainsFunc(same, func(m mailed) bool { return got[m] }) {
				continue
			}
			if amend.ChangesCall(x.item.Event) && !slices.ContainsFunc(x.item.asNews(), func(m mailed) bool { return before[m] }) {
				continue
			}
			if notice := amend.NoticeOf(x.item.Event); notice != 0 {
				same = append(same, mailed{notice, ""}) // the notice itself appears only as the change of its call
			}
			for _, m := range same {
				got[m] = true
			}
			it := contentItem{Article: x.item.Article.ID, Issue: e.issue.ID, Event: x.item.Event, Chosen: x.why}
			if r.Profile != nil && it.Event == "" && !x.item.isCanceled() {
				it.Match = e.notices.Match(r.Profile, x.item.Article, localDate(c.due, e.issue.List.Zone))
			}
			out.items = append(out.items, it)
			if !slices.Contains(out.issues, e.issue.ID) {
				out.issues = append(out.issues, e.issue.ID)
			}
		}
	}
	all := missedPart{}
	missed := c.missedBy(r.ID, lists)
	for _, list := range lists {
		if first, ok := firstWaiting[list]; ok {
			for _, e := range c.older[list] {
				if e.issue.ID >= first {
					add(e, r.Choices[list], all)
				}
			}
		}
		for _, p := range missed {
			if p.list == list {
				add(c.missing.composedIssues[p.issue], r.Choices[list], p)
			}
		}
		add(c.current[list], r.Choices[list], all)
	}
	if len(out.items) == 0 {
		if !r.WantsEmpty {
			return nil
		}
		for _, list := range lists {
			out.issues = append(out.issues, c.current[list].issue.ID)
		}
	}
	sum := sha256.Sum256([]byte(out.language + "|" + string(out.format) + database.JSON(out.issues) + database.JSON(out.items)))
	out.key = hex.EncodeToString(sum[:16])
	return out
}
