// Package surname contains the family names of Chinese people.
package surname

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// surnames are the most frequent Chinese family names, which about 99% of
// people have, and rarer ones that begin few other words.
const surnames = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾萧肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付傅方邹熊白孟秦邱侯江尹薛闫阎雷龙黎史陶贺毛段郝顾龚邵覃武钱戴严莫孔向常汤康易乔赖文" +
	"樊兰殷施洪翟安颜倪牛温芦季俞章鲁葛毕聂丛焦齐梅庄辛管祝左涂谷祁时舒耿牟卜路詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边蔚晏宫蒲冷岳商连佟母蓝迟揭党池仇喻米瞿丛柳邢骆臧" +
	"伍娄戚栾滕缪饶穆窦虞褚邬鄢阚鞠蔺裘佘卞嵇敖狄粟郎甯" +
	"糜亓仝邝邸郗郜逄逯阙雒禚恽缑荀谌佴冼厍庾弭扈晁眭笪訾郄酆邰隗"

var compoundSurnames = []string{"欧阳", "司马", "范姜", "上官", "诸葛", "司徒", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "夏侯", "端木", "南宫"}

// notNames are words that begin with the characters of a name.
var notNames = map[string]bool{"高质量": true, "于是": true, "路线图": true, "时间表": true, "白皮书": true, "向未来": true, "高水平": true,
	"华龙网": true, "解放军": true, "任务书": true, "关键词": true, "方案": true, "程序": true, "关于": true, "成果": true, "安排": true, "连载": true, "时评": true, "文摘": true, "单位": true, "时间": true, "关注": true, "高清": true, "文件": true, "文章": true, "全文": true, "路透": true}

// Begins reports whether a word in Simplified characters, without spaces, may
// be the name of one person: a family name and one or two characters.
func Begins(name string) bool {
	n := utf8.RuneCountInString(name)
	if n < 2 || n > 4 || notNames[name] || strings.ContainsFunc(name, func(r rune) bool { return !unicode.Is(unicode.Han, r) && r != '·' }) {
		return false
	}
	if last, _ := utf8.DecodeLastRuneInString(name); strings.ContainsRune(endings, last) {
		return false
	}
	for _, c := range compoundSurnames {
		if strings.HasPrefix(name, c) {
			return n >= 3
		}
	}
	first, _ := utf8.DecodeRuneInString(name)
	return n <= 3 && strings.ContainsRune(surnames, first)
}

// endings are characters with which words end but names do not.
const endings = "部局委办会院司处长记社网厅省市县区法的了等书化性论率度感摄室馆系组队站"
