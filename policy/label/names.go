package label

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"dibao/policy/hans"
)

// Kind is the kind of a label's value.
type Kind int

// The kinds of labels.
const (
	Unknown Kind = iota // a label that ends the value before it; its own value is not read
	Text                // a number, an organization, a theme: the value is the following text
	Date                // a date; the name says which one
	Source              // the medium or organization that a text was taken from
	Author              // the author of a text: a person or an office
	Editor              // persons who edited, checked, photographed or sent a text
	Control             // a control or counter of the page
)

// names are the labels in header lines, registers and tables of official and news sites.
var names = map[Kind]string{
	Source: `来源 本文来源 信息来源 稿件来源 文章来源 新闻来源 消息来源 内容来源 转载来源 媒体来源 来源于 来源网站 文档来源 资料来源 稿源 出处 文章出处 转载自 转自 摘自 来自 出自 source sources`,
	Author: `作者 文章作者 本文作者 作者姓名 撰稿 撰稿人 撰文 执笔 执笔人 主笔 采写 采写记者 报道 author authors writer by`,
	Editor: `责任编辑 责编 网络编辑 文字编辑 编辑 编审 审核 审核人 审校 校对 校审 终审 初审 复审 一审 二审 三审 签发人 监制 总监制 审读 核校 总策划 策划 出品 出品人 总编辑 执行主编 值班主任 值班编辑 编发 编校 统筹 摄影 供图 图片 供稿 供稿单位 记者 通讯员 实习生 录入 录入人 录入者 发布人 发布者 editor editors photo reporter`,
	Date: `发布日期 发布时间 信息发布时间 信息发布日期 文章发布时间 发布于 公布日期 公布时间 公开日期 公开时间 发稿时间 发稿日期 发表时间 发表日期 发表于 刊发时间 刊发日期 刊登日期 刊登时间 上网时间 上网日期 上传时间 上传日期 录入时间 添加时间 添加日期 创建时间 创建日期 发帖时间 信息时间 日期 时间
		更新时间 更新日期 最后更新 最近更新 修改时间 修改日期
		成文日期 成文时间 生成日期 生成时间 印发日期 印发时间 发文日期 发文时间 签发日期 签发时间 制发日期 制定日期 落款日期
		实施日期 实施时间 施行日期 施行时间 生效日期 生效时间 执行日期 失效日期 失效时间 废止日期 废止时间 有效期 有效期至 有效期限 有效截止日期
		截止日期 截止时间 征求意见截止时间 意见反馈截止时间 征集截止时间 征集截止日期 报名截止时间 申报截止时间 征求意见时间 征求意见日期 征集时间 征集日期 征集起止时间
		公示时间 公示期 公示日期 起止时间 起止日期 开始时间 开始日期 结束时间 结束日期 报名时间 申报时间 会议时间 活动时间 召开时间 举办时间 反馈时间 答复时间 回复时间 留言时间
		published publishdate publicationdate releasedate releasetime posted postedon date time updated lastupdated lastmodified updatetime`,
	Text: `索引号 信息索引号 索引编号 信息索引 索引码 索取号 信息编号 主题分类 信息分类 信息类别 服务对象分类 体裁分类 组配分类 公文种类 文件类型 主题词 关键词 体裁 所属分类 所属主题
		发文机关 发文单位 发文部门 发文机构 发布机构 发布机关 发布单位 发布部门 制发机关 制定机关 公布机关 公开责任部门 责任部门 公开主体 主办单位 主办部门 信息提供单位 成文单位 印发机关 印发单位
		有效性 效力状态 文件状态 时效性 时效状态 是否有效 公开方式 公开形式 公开范围 公开类别 公开属性 公开类型 信息公开类别 公开程序 公开时限 生成方式 获取方式 语种 载体形式 内容概述 内容概要 内容描述 信息格式 登记号 文件登记号 统一登记号 统一编号 备注
		发文字号 公文字号 公文编号 文件字号 文件编号 文件号 发布文号 发文文号 发文号 文号 字号 标题 文件标题 信息标题 信息名称 文件名称 公文名称 名称 副标题`,
	Control: `只看该作者 只看楼主 浏览字号 字体 字体大小 字号大小 文字大小 浏览次数 浏览量 阅读次数 阅读量 阅读数 访问次数 访问量 查看次数 点击数 点击量 点击率 点击次数 点击 阅读 浏览 人气 热度 评论 评论数 点赞 分享 分享到 分享至 打印 收藏 扫一扫 朗读 保护视力色 视力保护色 背景色 我要纠错 纠错 当前位置 您的位置 您现在的位置 您当前的位置 位置 font views hits clicks share`,
}

// kinds contains the names and their kinds.
var kinds = sync.OnceValue(func() map[string]Kind {
	all := make(map[string]Kind)
	for kind, list := range names {
		for name := range strings.FieldsSeq(list) {
			all[name] = kind
		}
	}
	return all
})

// KindOf returns the kind of a label, which may contain spaces and capital letters; Unknown
// if it is not one of the names.
func KindOf(name string) Kind { return kinds()[hans.Simplify(squeeze(name))] }

// squeeze returns "来 源" and "Last updated" in the form of the list.
func squeeze(name string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if isGap(r) {
			return -1
		}
		return r
	}, name))
}

// sorted contains the names, longest first, because some begin with others.
func sorted() []string {
	all := make([]string, 0, len(kinds()))
	for name := range kinds() {
		all = append(all, name)
	}
	slices.SortFunc(all, func(a, b string) int {
		if n := utf8.RuneCountInString(b) - utf8.RuneCountInString(a); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	return all
}

// ends contains the names as endsInName reads them, from the end of a text.
type ends struct {
	backwards map[string]bool // the names, reversed
	last      map[rune]bool   // their last characters
	longest   int             // length of the longest in characters
}

var nameEnds = sync.OnceValue(func() *ends {
	e := &ends{backwards: make(map[string]bool), last: make(map[rune]bool)}
	for name := range kinds() {
		runes := []rune(name)
		slices.Reverse(runes)
		e.backwards[string(runes)], e.last[runes[0]] = true, true
		e.longest = max(e.longest, len(runes))
	}
	return e
})

// hasName reports whether mark can match anything in a line: whether a name is before a
// colon, a bar, a boundary or the end. Searching for mark takes a hundred times as long.
func hasName(line string) bool {
	seen := false // the last boundary: only gaps follow it
	for i, r := range line {
		if r == Boundary && seen || r != Boundary && isGap(r) {
			continue
		}
		switch seen = r == Boundary; r {
		case ':', '：', '丨', '|', '｜', '︱', Boundary:
			if endsInName(line[:i]) {
				return true
			}
		}
	}
	return endsInName(line)
}

// endsInName reports whether a text ends in a name, whose characters may be spread out,
// with a bracket, gaps and a slash after it.
func endsInName(s string) bool {
	s = strings.TrimRightFunc(s, func(r rune) bool { return isGap(r) || r == '/' })
	if r, size := utf8.DecodeLastRuneInString(s); strings.ContainsRune("]】）)", r) {
		s = s[:len(s)-size]
	}
	var room [64]byte
	name := room[:0]
	names := nameEnds()
	for n := 0; n < names.longest && s != ""; {
		r, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
		if isGap(r) {
			continue
		}
		r = unicode.ToLower(unicode.ToUpper(r)) // as (?i) does
		if n++; n == 1 && !names.last[r] {
			return false
		}
		if name = utf8.AppendRune(name, r); names.backwards[string(name)] {
			return true
		}
	}
	return false
}
