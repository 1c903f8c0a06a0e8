package ingest

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// errorText is what systems write in the place of a page.
var errorText = regexp.MustCompile(`(?i)(?:页面|网页|文章|内容|信息|资源|文件|栏目|稿件|链接|地址)[^。，、]{0,14}(?:不存在|已(?:经)?被?(?:删除|移除|下线)|找不到|未找到|无法找到|没有找到|走丢|失效|无法访问|不可访问|出错)|(?:找不到|未找到|没有找到|无法找到)[^。，]{0,12}(?:页面|网页|文件|资源|内容|文章|信息)|` +
	`\b404\b|\b(?:not found|403 forbidden|bad gateway|service unavailable|internal server error|server error in|access denied)\b|HTTP (?:Status|Error)|(?:系统|程序|服务器|网站)[^。，]{0,8}(?:异常|错误|繁忙|出错|维护中|升级中|无响应)|出错(?:了|啦)|(?:错误|异常)(?:信息|提示|页面|代码)|请求(?:的)?(?:资源|地址|页面)|数据库(?:连接)?(?:错误|失败)|ORA-\d{4,5}|SQL syntax|Whitelabel Error Page|暂无(?:数据|内容|权限)|没有权限|禁止访问|拒绝访问`)

// stackTrace is how programs report their faults.
var stackTrace = regexp.MustCompile(`(?m)\bat [\w$.]+\([\w.]+(?:\.java|\.cs)?(?::\d+)?\)|java\.(?:lang|sql|io|net)\.\w+(?:Exception|Error)|System\.(?:Web|Data|NullReference)\w*|Traceback \(most recent call last\)|Fatal error: .{1,200} on line \d+|org\.(?:apache|springframework)\.\w+`)

// Most characters of running text on a page that says it is an error: without and
// with an article's head.
const (
	maxErrorText = 400
	errorHead    = 12 // lines in which it says so
)

// errNoArticle is the error of a page that is there and is no article.
type errNoArticle struct{ says string }

func (e *errNoArticle) Error() string {
	return fmt.Sprintf("the page is not an article: it says %q", e.says)
}

var errShell = errors.New("the page is an empty shell: a script draws its text in the browser")

// errorPage returns an error if the page is what a system shows in the place of an
// article, with whatever status it is served. A headline that the list names, or
// labels of date and source, are an article's.
func (v *view) errorPage(title, listed string) error {
	var text []string
	prose := 0
	for _, l := range v.lines {
		if l.aside != elsewhere {
			text = append(text, l.text)
			prose += l.prose
		}
	}
	all := strings.Join(text, "\n")
	if traces := stackTrace.FindAllString(clip(all, 20000), 4); len(traces) >= 2 || len(traces) == 1 && prose < maxErrorText {
		return &errNoArticle{clip(collapse(traces[0]), 60)}
	}
	if prose > maxErrorText || listed != "" && strings.Contains(letters(all), letters(listed)) {
		return nil
	}
	found := errorText.FindString(title)
	for _, line := range text[:min(len(text), errorHead)] {
		if found == "" && runes(line) <= 200 {
			found = errorText.FindString(line)
		}
	}
	if found == "" {
		return nil
	}
	for _, l := range v.lines {
		if len(headerLabels(l)) > 0 && l.aside != elsewhere {
			return nil
		}
	}
	return &errNoArticle{found}
}
