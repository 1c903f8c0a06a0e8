package policy

import (
	"strings"

	"dibao/policy/words"
)

// Audiences are the groups of readers that a text may address, with the words
// that name them, in the order of display.
var Audiences = []struct {
	Name  string
	words string
}{
	{"企业", "企业 公司 厂商 市场主体 经营主体 生产经营单位 经营者"},
	{"中小企业", "中小企业 小微企业 小型微型企业 专精特新"},
	{"民营企业", "民营企业 民营经济 民间投资 非公有制经济 非公经济"},
	{"外资企业", "外资企业 外商投资 外商"},
	{"台资企业", "台资企业 台湾同胞投资 台商 台胞"},
	{"个体工商户", "个体工商户 个体户"},
	{"社会组织", "社会组织 社会团体 行业协会 商会 基金会 民办非企业 慈善组织 社团"},
	{"事业单位", "事业单位"},
	{"农民", "农民 农户 农村居民 粮农 果农 牧民 渔民 种粮"},
	{"农民工", "农民工 进城务工 返乡创业"},
	{"职工", "职工 劳动者 从业人员 工伤 职业病"},
	{"公务员", "公务员 机关工作人员 干部选拔"},
	{"高校毕业生", "高校毕业生 大学毕业生 高等学校毕业生 应届毕业生 大学生就业"},
	{"学生", "学生 考生 招生 奖学金 助学 中小学 义务教育 学前教育"},
	{"教师", "教师 教职工 校长"},
	{"老年人", "老年人 老龄 养老服务 敬老 老人 高龄"},
	{"残疾人", "残疾人 残疾儿童 无障碍"},
	{"妇女", "妇女 女职工 孕产妇 产假"},
	{"儿童", "儿童 未成年人 婴幼儿 托育 孤儿"},
	{"退役军人", "退役军人 退伍军人 转业 军转干部 优抚对象 烈士遗属 现役军人"},
	{"困难群众", "困难群众 低保 最低生活保障 特困人员 城乡居民最低 社会救助 贫困"},
	{"失业人员", "失业人员 失业 就业困难人员 下岗"},
	{"科研人员", "科研人员 科技人员 科技工作者 院士 专家"},
	{"医务人员", "医务人员 医师 护士 乡村医生"},
	{"华侨", "华侨 归侨 侨眷 侨胞"},
	{"消费者", "消费者"},
}

var audienceFinder = func() *words.Finder {
	f := new(words.Finder)
	for i, a := range Audiences {
		for w := range strings.FieldsSeq(a.words) {
			f.Add(w, i)
		}
	}
	return f
}()

// longestHeading is the maximum length, in bytes, of a paragraph that can be a heading.
const longestHeading = 3 * 48

// audiences finds the groups that the title and the headings address; there may be several.
// The running text does not count, because it mentions all of them.
func (u *understanding) audiences() {
	if u.Kind == KindNews || u.Kind == KindOther {
		return
	}
	subject := u.Title
	for _, issuer := range u.Issuers {
		subject = strings.TrimPrefix(subject, issuer)
	}
	if len(subject) > maxTitle {
		return
	}
	found, headings := audienceFinder.Find(subject), 0
	for _, p := range u.Paragraphs {
		if m := headingOf(p); m != "" && len(m) <= longestHeading {
			found |= audienceFinder.Find(m)
			if headings++; headings > maxAudienceHeadings {
				break
			}
		}
	}
	for i, a := range Audiences {
		if found&(1<<i) != 0 {
			u.Audiences = append(u.Audiences, a.Name)
		}
	}
}

// maxAudienceHeadings limits the headings of one text that are examined.
const maxAudienceHeadings = 60

// headingOf returns the words of a heading (一、…, （一）…, 第三章 …), "" for a
// paragraph that does not begin with one.
func headingOf(p string) string {
	p = strings.TrimLeft(p, " （(")
	marked := strings.TrimLeft(p[:min(len(p), longestHeading)], "一二三四五六七八九十第章")
	if len(marked) == min(len(p), longestHeading) {
		return ""
	}
	rest, ok := cutFirst(marked, "、", "）", ")", " ", "\u3000")
	if !ok {
		return ""
	}
	rest = strings.TrimSpace(rest)
	if i := strings.IndexAny(rest, "。：:；"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}

// cutFirst removes the first of the prefixes that s has.
func cutFirst(s string, prefixes ...string) (rest string, ok bool) {
	for _, p := range prefixes {
		if rest, ok = strings.CutPrefix(s, p); ok {
			return rest, true
		}
	}
	return s, false
}
