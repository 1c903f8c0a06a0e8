package channel

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"dibao/policy/cut"
)

// MaxItems is the maximum number of articles on a card.
const MaxItems = 5

// Card is an issue as a group sees it. Its texts are in the language of the list.
type Card struct {
	Language string // zh or en
	List     string // the name of the list in addresses
	Number   int64  // number of the issue; 0 means a test
	DueAt    time.Time
	Title    string // 邸报周刊 第 12 期
	Items    []Item // at most MaxItems
	Total    int    // articles of the issue
	// More is the line about the articles that the card does not list.
	More    func(n int) string
	Archive Item // the page of the issue
}

// Item is an article, or the page of an issue.
type Item struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// more returns the line about articles that are not listed, "" if all are.
func (c Card) more() string {
	if n := c.Total - len(c.Items); n > 0 {
		return c.More(n)
	}
	return ""
}

// titleLengths are the limits of a title's length that fit tries in turn, in
// characters.
var titleLengths = []int{120, 80, 40, 20}

// fit renders a card so that its size, as measured by size, is at most a limit: it shortens
// titles, and then leaves out articles.
func fit(c Card, limit int, render func(Card) string, size func(string) int) (string, error) {
	for named := min(len(c.Items), MaxItems); named >= 0; named-- {
		for _, length := range titleLengths {
			short := c
			short.Title = shorten(c.Title, length)
			short.Items = make([]Item, named)
			for i := range short.Items {
				short.Items[i] = Item{shorten(c.Items[i].Title, length), c.Items[i].URL}
			}
			if text := render(short); size(text) <= limit {
				return text, nil
			}
			if named > 1 && length == titleLengths[2] {
				break // one article fewer is better than titles that are too short to understand
			}
		}
	}
	return "", fmt.Errorf("the card does not fit into %d bytes (Telegram: characters); the address of the issue is too long", limit)
}

// shorten returns a title in one line of at most n characters.
func shorten(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return cut.First(s, n-1) + "…"
}

func bytesOf(s string) int { return len(s) }

// utf16Of returns the length of a text in UTF-16 code units, as Telegram counts it.
func utf16Of(s string) (n int) {
	for _, r := range s {
		if n++; r > 0xffff {
			n++
		}
	}
	return n
}

// forMarkdown replaces Markdown characters with their full-width forms: the bots have no
// escapes.
var forMarkdown = strings.NewReplacer("[", "［", "]", "］", "<", "＜", ">", "＞", "*", "＊", "`", "｀", "~", "～", "_", "＿", "\\", "＼", "#", "＃", "|", "｜")

// linkAddress is an address within the parentheses of a Markdown link.
var linkAddress = strings.NewReplacer("(", "%28", ")", "%29", " ", "%20")

func markdownLink(it Item) string {
	return "[" + forMarkdown.Replace(it.Title) + "](" + linkAddress.Replace(it.URL) + ")"
}

// lines renders the numbered items, and the line about articles that are not
// listed.
func (c Card) lines(item func(Item) string, text func(string) string) (lines []string) {
	for i, it := range c.Items {
		lines = append(lines, fmt.Sprintf("%d. %s", i+1, item(it)))
	}
	if more := c.more(); more != "" {
		lines = append(lines, text(more))
	}
	return lines
}
