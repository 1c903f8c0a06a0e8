package answer

import (
	"strings"

	"dibao/internal/lazyregexp"
)

// Expressions for the dates of articles and of rows, each in a text of its own. The time on
// a wall is that of the request: it has seconds or another label.
var (
	ofArticle = lazyregexp.New(`^.{0,20}(?:发布|发文|成文|印发|公开|更新|发表|刊发|录入|上传)(?:日期|时间)?\s*[:：]?\s*(?:19|20)\d\d\s*[-/.年]`)
	withHead  = lazyregexp.New(`^(?:(?:日期|时间)\s*[:：]\s*)?(?:19|20)\d\d\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?(?:$|[^\d].*(?:来源|作者|浏览|点击|阅读|字体))`)
	ofMeta    = lazyregexp.New(`(?i)^(?:pubdate|publishdate|publish_?time|article:published_time|dc\.date(?:\.issued)?|citation_(?:publication_)?date)$`)
	ownLabel  = lazyregexp.New(`(?:发布|发文|成文|印发|公开|更新|发表|刊发|录入|上传)(?:日期|时间)\s*[:：]?$`)
	beginsDay = lazyregexp.New(`^(?:19|20)\d\d\s*[-/.年]\s*\d{1,2}`)
	bareDate  = lazyregexp.New(`^[\[(（【]?\s*(?:19|20)\d\d\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?\s*[\])）】]?$|(?i)^(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6}\.? \d{1,2},? 20\d\d$|^\d{1,2} (?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6}\.? 20\d\d$`)
	bareDay   = lazyregexp.New(`^[\[(（【]?\s*\d{1,2}\s*[-/月]\s*\d{1,2}\s*日?\s*[\])）】]?$`)
	ofADoc    = lazyregexp.New(`^关于|的(?:通知|公告|通告|说明|意见|通报|公示|办法|提示|决定|批复|函)(?:$|[\s_（(|-])|(?:采购|招标|成交|中标)[^_]{0,8}公[告示]`)
)

// maxDate is the length, in bytes, of the longest text that is a date with its
// label.
const maxDate = 200

// noteDate counts a text if it is the date of an article or of a row.
func (s *scan) noteDate(text string) {
	if text == "" || s.dates > 0 {
		return
	}
	before := s.before
	s.before = text
	if len(text) > maxDate || !strings.ContainsAny(text, "0123456789") {
		return
	}
	switch {
	case bareDate.MatchString(text), withHead.MatchString(text), ofArticle.MatchString(text), beginsDay.MatchString(text) && ownLabel.MatchString(before):
		s.dates++
	case bareDay.MatchString(text):
		s.days++
	}
}

// noteMeta counts a meta element with the date of an article.
func (s *scan) noteMeta(name, content string) {
	if ofMeta.MatchString(name) && beginsDay.MatchString(content) {
		s.dates++
	}
}

// minDays is the minimum number of rows with a month and day that make a list.
const minDays = 3

// isDated reports whether the page has the date of an article or of rows.
func (s *scan) isDated() bool { return s.dates > 0 || s.days >= minDays }

// isDocument reports whether the title of the page is that of a document: a
// notice about 安全检查 is not a wall.
func (s *scan) isDocument() bool { return ofADoc.MatchString(s.title) }
