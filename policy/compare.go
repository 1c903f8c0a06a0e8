package policy

import (
	"slices"
	"strings"

	"dibao/policy/same"
	"dibao/policy/words"
)

const (
	headingLength  = 1500 // bytes at the beginning of a text that can contain the dates of its adoption
	headingForward = 90   // bytes after a date that say what happened on it
)

var (
	// enactment matches a date on which a text was adopted, amended or put into force.
	enactment = words.New(fullDate)
	enacted   = words.NewFinder("通过", "修正", "修订", "修改", "公布", "发布", "批准", "颁布")
	// ofAnOther matches the words after a date of another text: 2015年6月1日公布的《样例办法》同时废止.
	ofAnOther = words.New(`^[^《]{0,60}(?:公布|发布|颁布|印发)的《`)
	// versionMark matches marks of versions in a title: （2021年修订）, （征求意见稿）.
	versionMark = words.New(`[（(]([^（）()]{0,12}(?:修订|修正|修改|征求意见|草案|送审稿|年本|年版|第[一二三四五六七八九十]+版|试行)[^（）()]{0,8})[)）]`)
)

// TextOf prepares an article for comparison.
func TextOf(f Facts) *same.Text {
	var marks []string
	for _, m := range versionMark.FindAllStringSubmatch(f.Title, -1) {
		marks = append(marks, squeeze(m[1]))
	}
	return same.New(same.Parts{
		Number: f.DocumentNumber, IssuedOn: f.IssuedOn, PublishedOn: f.PublishedOn, Title: withoutTrailing(f.Title), Marks: marks,
		Enacted: enactments(f.Title, f.Paragraphs), Paragraphs: f.Paragraphs,
	})
}

// Compare reports whether two articles have the same text, as [same.Text.Compare]
// of prepared ones does.
func Compare(a, b Facts) same.Result { return TextOf(a).Compare(TextOf(b)) }

// enactments returns the sorted dates in a text's heading on which it was adopted, amended
// or published.
func enactments(title string, paragraphs []string) []Date {
	head := fold(title + "\n" + strings.Join(paragraphs[:min(len(paragraphs), 12)], "\n"))
	if i := strings.Index(head, "第一条"); i >= 0 {
		head = head[:i]
	}
	head = head[:min(len(head), headingLength)]
	var all []Date
	if !enacted.In(head) {
		return nil
	}
	for _, at := range enactment.FindAllStringSubmatchIndex(head, -1) {
		after := head[at[1]:min(len(head), at[1]+headingForward)]
		after, _, _ = strings.Cut(after, "\n")
		if ofAnOther.MatchString(after) {
			continue
		}
		if d := dateOfParts(head[at[2]:at[3]], head[at[4]:at[5]], head[at[6]:at[7]]); !d.IsZero() && enacted.In(after) && !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	slices.SortFunc(all, Date.Compare)
	return all
}
