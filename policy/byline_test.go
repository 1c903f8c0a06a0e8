package policy

import (
	"strings"
	"testing"
)

func TestByline(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                       string
		e                          Evidence
		author, office, body, cred string
		paragraphs                 int
	}{
		{"Office", Evidence{Paragraphs: []string{"正文。", "(作者为民政部部长、党组书记)"}}, "", "民政部部长、党组书记", "民政部", "", 1},
		{"Both", Evidence{Paragraphs: []string{"正文。", "（作者：样文，系样例大学教授）"}}, "样文", "样例大学教授", "样例大学", "", 1},
		{"Unit", Evidence{Paragraphs: []string{"正文。", "（作者单位：样例研究院）"}}, "", "样例研究院", "", "", 1},
		{"AfterTheText", Evidence{Paragraphs: []string{"正文到此为止。（作者系样例研究中心主任）"}}, "", "样例研究中心主任", "样例研究中心", "", 1},
		{"Colon", Evidence{Paragraphs: []string{"作者：王样 李例", "正文。"}}, "王样、李例", "", "", "", 1},
		{"Slash", Evidence{Paragraphs: []string{"文/王样例", "正文。"}}, "王样例", "", "", "", 1},
		{"Reporter", Evidence{Paragraphs: []string{"本报记者 王 样", "正文。"}}, "王 样", "", "", "", 1},
		{"TwoReporters", Evidence{Paragraphs: []string{"正文。", "记者李样冰、管例江"}}, "李样冰、管例江", "", "", "", 1},
		{"Lead", Evidence{SiteName: "样例日报", Paragraphs: []string{"本报北京11月4日电（记者李样冰、管例江）会议今天召开。"}}, "李样冰、管例江", "", "", "样例日报", 1},
		{"Agency", Evidence{Paragraphs: []string{"新华社北京11月4日电 会议今天召开。"}}, "", "", "", "新华社", 1},
		{"AgencyIsNotTheLabel", Evidence{Labels: []Label{{"span", "来源", "样例网"}}, Paragraphs: []string{"新华社北京11月4日电 会议今天召开。"}}, "", "", "", "样例网", 1},
		{"SenderBeforeReporter", Evidence{Paragraphs: []string{"样例报样州讯（胡例 记者朱样）今年，样例局开展行动。"}}, "朱样", "", "", "", 1},
		{"CorrespondentBeforeReporter", Evidence{Paragraphs: []string{"本报讯（通讯员 王例 记者 朱样）今年，样例局开展行动。"}}, "朱样", "", "", "", 1},
		{"LeadWithPictures", Evidence{Paragraphs: []string{"本报16日讯(记者李样冰文/摄)今天6时，样例站开通。"}}, "李样冰", "", "", "", 1},
		{"ColumnReport", Evidence{Paragraphs: []string{"样例负责人付之一笑：“没有道理。”（金融 专题报道）"}}, "", "", "", "", 1},
		{"NameEndsInDepartment", Evidence{Paragraphs: []string{"样例正文，内容较长。", "（记者赵登科）"}}, "赵登科", "", "", "", 1},
		{"NameAndPlace", Evidence{Paragraphs: []string{"样例负责人付之一笑：“没有道理。”（姚样 样州报道）"}}, "姚样", "", "", "", 1},
		{"SpacedNameInABracket", Evidence{Paragraphs: []string{"样例县围绕工作思路，加强保障。", "一是结合。", "二是创新。", "( 袁 样 ）"}}, "袁 样", "", "", "", 3},
		{"NameBeforeTextAndPictures", Evidence{Paragraphs: []string{"正文。", "正文到此为止。", "唐样 赵例 文/图"}}, "唐样、赵例", "", "", "", 2},
		{"MediumAndNames", Evidence{Labels: []Label{{"span", "来源", "样例网 马样贵 焦例宇"}}, Paragraphs: []string{"正文。"}}, "马样贵、焦例宇", "", "", "样例网", 1},
		{"MediumAndPlace", Evidence{Labels: []Label{{"span", "来源", "样例网 高平"}}, Paragraphs: []string{"正文。"}}, "", "", "", "样例网 高平", 1},
		{"Section", Evidence{Labels: []Label{{"span", "作者", "竞赛科"}}, Paragraphs: []string{"正文。"}}, "", "竞赛科", "", "", 1},
		{"Photographer", Evidence{Paragraphs: []string{"正文。", "新华社记者 王 样摄"}}, "", "", "", "", 2},
		{"Sender", Evidence{Paragraphs: []string{"正文。", "（供稿：样例处）"}}, "", "", "", "", 2},
		{"Label", Evidence{Labels: []Label{{"span", "作者", "王样例"}}, Paragraphs: []string{"正文。"}}, "王样例", "", "", "", 1},
		{"Unknown", Evidence{Labels: []Label{{"span", "作者", "佚名"}, {"span", "来源", "未知"}}, Paragraphs: []string{"正文。"}}, "", "", "", "", 1},
		{"OwnSite", Evidence{SiteName: "样例门户", Labels: []Label{{"span", "来源", "本站"}}, Paragraphs: []string{"正文。"}}, "", "", "", "样例门户", 1},
		{"UnitBeforeName", Evidence{Labels: []Label{{"span", "作者", "研究室 李样样"}}, Paragraphs: []string{"正文。"}}, "李样样", "研究室", "", "", 1},
		{"CommentatorAfter", Evidence{Paragraphs: []string{"正文到此为止。（评论员 罗样 萧海样）"}}, "罗样、萧海样", "", "", "", 1},
		{"Traditional", Evidence{Paragraphs: []string{"〔記者巫其樣／台北報導〕財政部今天公佈清冊。"}}, "巫其樣", "", "", "", 1},
		{"GluedPlace", Evidence{Paragraphs: []string{"（中央社記者溫貴樣台北21日電）會議今天召開。"}}, "溫貴樣", "", "", "中央社", 1},
		{"EditorInMeta", Evidence{Meta: []Pair{{"author", "孔德样"}}, Labels: []Label{{"div", "责任编辑", "孔德样"}}, Paragraphs: []string{"正文。"}}, "", "", "", "", 1},
		{"AuthorInMeta", Evidence{Meta: []Pair{{"author", "孔德样"}}, Paragraphs: []string{"孔德样在会上说。", "正文。"}}, "孔德样", "", "", "", 2},
		{"AuthorInMetaAlone", Evidence{Meta: []Pair{{"author", "孔样"}}, Paragraphs: []string{"正文。"}}, "", "", "", "", 1},
		{"TextAndPictures", Evidence{Paragraphs: []string{"正文。", "（文/图 刘样东 易样楠）"}}, "刘样东、易样楠", "", "", "", 1},
		{"NamedBeforeAColon", Evidence{Title: "样例院副院长 王建样：坚定信心的途径", Labels: []Label{{"p", "来源", "样例日报"}}, Paragraphs: []string{"坚定信心意义重大。", "一是继承。"}}, "王建样", "样例院副院长", "样例院", "样例日报", 2},
		{"QuotedBeforeAColon", Evidence{Title: "样例院副院长 王建样：坚定信心", Labels: []Label{{"p", "来源", "样例日报"}}, Paragraphs: []string{"论坛今天开幕。", "王建样在会上说，要坚定信心。"}}, "", "", "", "样例日报", 2},
		{"EnglishNames", Evidence{Paragraphs: []string{"By Ann Example and Bob Sample, Chief Correspondent", "The text."}}, "Ann Example、Bob Sample", "", "", "", 1},
		{"NameOfTwoAfter", Evidence{Paragraphs: []string{"正文。", "正文。", "（袁样）"}}, "袁样", "", "", "", 2},
		{"SentFrom", Evidence{Paragraphs: []string{"本报记者罗样苏例发自北京", "正文。"}}, "罗样、苏例", "", "", "", 1},
		{"SentFromByWhom", Evidence{Paragraphs: []string{"本报记者罗样马例明发自北京", "正文。"}}, "罗样、马例明", "", "", "", 1},
		{"NameBeforeOffice", Evidence{Paragraphs: []string{"正文。", "(作者：方敏北京大学经济学院教授)"}}, "方敏", "北京大学经济学院教授", "北京大学经济学院", "", 1},
		{"NameAfterUnit", Evidence{Paragraphs: []string{"正文。", "（作者：样例大学历史学院郭样）"}}, "郭样", "样例大学历史学院", "", "", 1},
		{"UnitOfTwo", Evidence{Paragraphs: []string{"正文。", "（作者：样例大学文史馆）"}}, "", "样例大学文史馆", "", "", 1},
		{"MediumAsAuthor", Evidence{Labels: []Label{{"div", "作者", "样例市发布"}}, Paragraphs: []string{"正文。"}}, "", "", "", "样例市发布", 1},
		{"WhoWroteItUp", Evidence{Paragraphs: []string{"正文。", "采写：样都见习记者 林子样"}}, "林子样", "", "", "", 1},
		{"ReporterReports", Evidence{Paragraphs: []string{"记者王样例报道 6月10日，省能源局召开会议。", "正文。"}}, "王样例", "", "", "", 2},
		{"ReporterHears", Evidence{Paragraphs: []string{"记者从省能源局获悉，已有多家企业报道 情况。", "正文。"}}, "", "", "", "", 2},
		{"LabelAfterTheText", Evidence{Paragraphs: []string{"正文到此为止。（记者：王样例）"}}, "王样例", "", "", "", 1},
		{"OfThePaper", Evidence{Paragraphs: []string{"正文到此为止。（本报记者：高样）"}}, "高样", "", "", "", 1},
		{"ReporterAsks", Evidence{Paragraphs: []string{"正文。", "记者：今年有何打算？"}}, "", "", "", "", 2},
		{"NamesAfterTheText", Evidence{Paragraphs: []string{"正文到此为止。（李样晟 韦样鑫）"}}, "李样晟、韦样鑫", "", "", "", 1},
		{"WordsAfterTheText", Evidence{Paragraphs: []string{"正文到此为止。（全文完）"}}, "", "", "", "", 1},
		{"OfWhomTheTextSpeaks", Evidence{Paragraphs: []string{"李样晟" + strings.Repeat("在全省能源工作会议上作了发言，介绍了经验", 6) + "。", "这是他的原话。（李样晟）"}}, "", "", "", "", 2},
		{"ReporterInTheSource", Evidence{Labels: []Label{{"span", "来源", "样例日报记者 王样例"}}, Paragraphs: []string{"正文。"}}, "王样例", "", "", "样例日报", 1},
		{"RolesAfterTheNames", Evidence{Paragraphs: []string{"正文。", "正文。", "张样德/文 赵样/图"}}, "张样德", "", "", "", 2},
		{"RolesBeforeTheNames", Evidence{Paragraphs: []string{"正文。", "正文。", "文/王样红 图/朱样丽"}}, "王样红", "", "", "", 2},
		{"NamesAfterTheDateline", Evidence{Paragraphs: []string{"样例侨网广州7月2日电 (郭样 肖样贤)6月28日下午，大会召开。", "正文。"}}, "郭样、肖样贤", "", "", "", 2},
		{"UnitAndNameInABracket", Evidence{Paragraphs: []string{"正文。", "全力抓好落实。（样例县人社局杨样）"}}, "杨样", "", "", "", 2},
		{"RankInFeed", Evidence{FeedAuthor: "刘样强 研究员", Paragraphs: []string{"正文。"}}, "刘样强", "研究员", "", "", 1},
		{"GluedRank", Evidence{FeedAuthor: "刘样强研究员", Paragraphs: []string{"正文。"}}, "刘样强", "研究员", "", "", 1},
		{"RankFirst", Evidence{Labels: []Label{{"span", "作者", "教授 刘样强"}}, Paragraphs: []string{"正文。"}}, "刘样强", "教授", "", "", 1},
		{"Courtesy", Evidence{Labels: []Label{{"span", "作者", "刘样强先生"}}, Paragraphs: []string{"正文。"}}, "刘样强", "", "", "", 1},
		{"RankInAList", Evidence{Paragraphs: []string{"刘样强 副市长", "正文。", "正文。"}}, "", "", "", "", 3},
		{"AccountOfTheSite", Evidence{Labels: []Label{{"span", "作者", "超级管理员"}}, Paragraphs: []string{"正文。"}}, "", "", "", "", 1},
		{"SlashAfterReporter", Evidence{SiteName: "样例日报", Paragraphs: []string{"本报样例讯 （记者/许样婷）7月27日，条例获通过。", "正文。"}}, "许样婷", "", "", "样例日报", 2},
		{"MediumAndReporterReport", Evidence{Paragraphs: []string{"样报首席记者曾样报道 样例大学日前发布成果。", "正文。"}}, "曾样", "", "", "", 2},
		{"TitleNamesTheAuthor", Evidence{Title: "李样鹏：论样例", Paragraphs: []string{"作者：李样鹏", "正文。", "正文。"}}, "李样鹏", "", "", "", 2},
		{"TwoUnits", Evidence{Labels: []Label{{"div", "作者", "文/样例学会 孙样成 《样例》杂志社 曹样磊"}}, Paragraphs: []string{"正文。"}}, "孙样成、曹样磊", "样例学会", "", "", 1},
		{"Text", Evidence{Paragraphs: []string{"作者：认为这一问题值得研究，应当从三个方面入手加以解决，否则将来会出现更大的问题，必须高度重视起来。", "正文。"}}, "", "", "", "", 2},
	} {
		if c.e.Title == "" {
			c.e.Title = "论样例"
		}
		f := Understand(c.e)
		if f.Author != c.author || f.AuthorOffice != c.office || f.AuthorBody != c.body || f.Credit != c.cred || len(f.Paragraphs) != c.paragraphs {
			t.Errorf("%s: author %q, office %q, body %q, credit %q, %d paragraphs", c.name, f.Author, f.AuthorOffice, f.AuthorBody, f.Credit, len(f.Paragraphs))
		}
	}
}
