package ingest

import (
	"dibao/internal/lazyregexp"
	"dibao/policy/hans"
	"dibao/policy/warn"
)

// BehindLogin is the code of the warning that only the beginning of a text was read,
// because the page asks readers to log in or to pay for the rest.
const BehindLogin = "text-behind-login"

// loginPrompt matches prompts to log in or to pay for the rest of a text. A prompt to log
// in for comments does not count.
var loginPrompt = lazyregexp.New(`(?:登录|登陆|注册|订阅|付费|购买|开通会员|成为会员)[^。，！]{0,8}[，,]?[^。，！]{0,6}(?:阅读|查看|浏览|解锁|获取|观看)(?:本文|文章)?(?:的)?(?:全文|全部|剩余|完整|余下|更多内容|后续|其余)` +
	`|(?:还剩|剩余|还有)\s?\d{1,2}(?:\.\d+)?%.{0,10}(?:未读|内容|登录|订阅|付费|解锁)|(?:会员|付费|订阅|登录)(?:用户)?(?:专享|专属|可见|可读)(?:内容|文章)|(?:本文|以下|剩余)(?:内容|部分)?(?:为|需要?|仅限?)(?:付费|会员|订阅|登录)` +
	`|(?i:(?:subscribe|sign in|log in|register|sign up)\b.{0,30}\bto (?:continue reading|keep reading|read (?:the full|the rest|more|on)|unlock))`)

// commentWord matches words of prompts to log in for comments.
var commentWord = lazyregexp.New(`评论|評論|跟帖|留言|(?i:comment)`)

// The lines around the end of a text that are searched for a prompt, and its maximum length
// in characters.
const (
	promptLines = 8
	maxPromptOf = 60
)

// asksLogin returns a warning if the text ends with a prompt to log in or to pay.
func (v *view) asksLogin(body span) (w warn.Warning, ok bool) {
	if body.to == 0 {
		return w, false
	}
	for _, l := range v.lines[max(body.from, body.to-promptLines):min(len(v.lines), body.to+promptLines)] {
		if l.size <= maxPromptOf && !commentWord.MatchString(l.text) && loginPrompt.MatchString(hans.Simplify(l.text)) {
			return warn.New(BehindLogin, clip(l.text, maxPromptOf)), true
		}
	}
	return w, false
}
