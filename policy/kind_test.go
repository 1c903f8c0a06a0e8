package policy

import (
	"strings"
	"testing"
)

// Each case is an article whose kind was once wrong.
func TestKinds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		e    Evidence
		want Kind
	}{
		// The day of publication may be only in a label: it is known before the kind is
		// determined.
		{"NewsDatedByLabel", Evidence{Title: "样例市养老服务再上台阶", Labels: []Label{{"span", "发布时间", "2026-11-27"}}, Paragraphs: []string{"走进样例社区，老人们正在用餐。", "社区食堂每天开放。"}}, KindNews},
		{"UndatedTextIsOther", Evidence{Title: "样例市概况", Paragraphs: []string{"样例市位于样例省中部。"}}, KindOther},
		{"LetterAndAnswer", Evidence{Title: "王*某关于办理证件的咨询已回复，请查收。", ListDate: "2026-11-27", Paragraphs: []string{"留言标题：有关办理证件", "留言人：王*某", "留言内容：您好！我想办理证件，需要什么材料？谢谢！", "回 复：您好！请携带证明材料到窗口办理。"}}, KindOther},
		{"WorkOfAnOffice", Evidence{Title: "样例收费站多措并举做好小长假工作", ListDate: "2026-11-27", Labels: []Label{{"dd", "作者", "王岩"}, {"dd", "来源", "样例公路网"}}, Paragraphs: []string{"小长假即将来临，收费站对各项工作进行了部署。", "一是加强值守。", "二是备足物资。"}}, KindNews},
		{"OfficeAndNameFirst", Evidence{Title: "样例社会科学院文化研究所副所长 王建平：坚定信心的途径与方法", ListDate: "2026-11-27", Labels: []Label{{"dd", "来源", "样例日报"}}, Paragraphs: []string{"坚定信心具有重大意义。", "一是继承。二是弘扬。"}}, KindSignedArticle},
		{"WhoIsQuoted", Evidence{Title: "王建样：修订法规要尊重农民意愿", ListDate: "2026-11-27", Labels: []Label{{"dd", "来源", "样例政府网"}}, Paragraphs: []string{"“农民作出了巨大贡献。”", "王建样说，修订这一条例是为了农民。"}}, KindNews},
		{"WhoTheTextIsAbout", Evidence{Title: "王建样：自学成才的样例学家", ListDate: "2026-11-27", Paragraphs: []string{"他读完高中就工作了。他就是样例学家王建样。", "几十年来，他写了很多书。"}}, KindNews},
		{"Speech", Evidence{Title: "在样例工作会议上总结部署样例工作", ListDate: "2026-11-27", Paragraphs: []string{"各位领导，同志们：", "根据会议安排，我作如下汇报。"}}, KindOther},
		{"DayOfAReport", Evidence{Title: "样例银行维持样例利率不变", ListDate: "2026-11-27", Labels: []Label{{"div", "来源", "样例新闻网 王样"}}, Paragraphs: []string{"样例储备委员会26日宣布，利率不变。", "这符合预期。", "声明说，增长温和。"}}, KindNews},
		{"EnglishReport", Evidence{Title: "Plant Opens In Sample Town", ListDate: "2026-11-27", Labels: []Label{{"div", "By", "Ann Example"}}, Paragraphs: []string{"The plant opened today.", "“We hope for jobs,” the mayor said.", "He told reporters that more will follow.", "Jobs are scarce."}}, KindNews},
		{"EnglishEssay", Evidence{Title: "Why Plants Close", ListDate: "2026-11-27", Labels: []Label{{"div", "Author", "Ann Example"}}, Paragraphs: []string{"Plants close.", "There are three reasons.", "Costs come first."}}, KindSignedArticle},
		{"DutiesOfAnOffice", Evidence{Title: "资源中心工作职责", ListDate: "2026-11-27", Paragraphs: []string{"负责教学的技术支撑和保障；负责管理。", "负责资源的安全存储。"}}, KindOther},
		{"NothingSaysWhatItIs", Evidence{Title: "样例"}, ""},
		{"MediumOnANewRule", Evidence{Title: "样例部出台养老服务机构管理办法", ListDate: "2026-11-27", Paragraphs: []string{"记者27日从样例部获悉，新办法将于明年施行。"}}, KindNews},
		{"AwardSignedByTheWinner", Evidence{Title: "样例中心工会荣获全省先进集体称号", ListDate: "2026-11-27", Paragraphs: []string{"今年以来，省有关部门评选出一批先进集体。", "样例中心工会", "2026年11月26日"}}, KindNews},
		{"AwardInTheNameOfARule", Evidence{Title: "样州市关于对荣获国家级科技奖项目给予奖励的实施办法", ListDate: "2026-11-27", Paragraphs: []string{"第一条 为奖励科技项目，制定本办法。", "第二条 本办法自2026年12月1日起施行。"}}, KindDocument},
		{"AwardInTheNameOfAList", Evidence{Title: "荣获2026年省级绿色工厂称号企业名单公示（第一批）", ListDate: "2026-11-27", Paragraphs: []string{"现将名单公示如下。", "样州市样例局", "2026年11月26日"}}, KindDocument},
		{"StoppedByAMinistry", Evidence{Title: "样例部叫停违规收费通知", ListDate: "2026-11-27", Paragraphs: []string{"样例部日前要求各地停止收费。"}}, KindNews},
		{"Conference", Evidence{Title: "样例部召开新闻发布会介绍行动方案", ListDate: "2026-11-27", Paragraphs: []string{"11月27日上午，样例部召开发布会。"}}, KindNews},
		{"ReportOfAnIssue", Evidence{Title: "中办 国办印发《关于样例的意见》", ListDate: "2026-11-27", Paragraphs: []string{"新华社北京11月27日电 近日，中共中央办公厅、国务院办公厅印发了《关于样例的意见》，并发出通知。"}}, KindNews},
		{"Exclaims", Evidence{Title: "注意啦！样例市养老服务申请指南", ListDate: "2026-11-27", Paragraphs: []string{"市民可以在样例中心申请养老服务。"}}, KindNews},
		{"IssuerPublishes", Evidence{Title: "样例组织发布样例管理新准则", ListDate: "2026-11-27", Paragraphs: []string{"样例组织25日发布新的准则，呼吁各国更新框架。"}}, KindNews},
		{"PublishesByAnnouncement", Evidence{Title: "样例部关于发布样例准则的公告", ListDate: "2026-11-27", Paragraphs: []string{"现予公布。", "样例部", "2026年11月27日"}}, KindDocument},
		{"NoticeThatIssues", Evidence{Title: "样例部等九部门印发《样例方案》的通知", ListDate: "2026-11-27", Paragraphs: []string{"各有关单位：", "现将《样例方案》印发给你们。"}}, KindDocument},
		{"AWordInATitle", Evidence{Title: "基因密码是科学解读出来的", ListDate: "2026-11-27", Paragraphs: []string{"新华社北京11月27日电 科学家公布成果。"}}, KindNews},
		{"ConferencesExplain", Evidence{Title: "样例盘点：56场新闻发布会解读政策 回应关切", ListDate: "2026-11-27", Paragraphs: []string{"上周共举行56场发布会。"}}, KindNews},
		{"OfficialsExplain", Evidence{Title: "样例部有关负责人解读应急实施方案", ListDate: "2026-11-27", Paragraphs: []string{"新华社北京11月27日电 题：提高能力", "新华社记者 王样例"}}, KindInterpretation},
		{"QuestionsAndAnswers", Evidence{Title: "样例待遇怎么领", ListDate: "2026-11-27", Paragraphs: []string{"问：哪些人可以申请？", "答：符合条件的职工。"}}, KindInterpretation},
		{"NumberOfWhatItExplains", Evidence{Title: "《样例办法》解读（样发〔2026〕3号）", Paragraphs: []string{"一、制定背景。"}}, KindInterpretation},
		{"CallForComments", Evidence{Title: "关于公开征集样例线索意见的公告", Paragraphs: []string{"特此公告。", "样例市民政局", "2026年11月27日"}}, KindConsultation},
		{"WhatCameOfComments", Evidence{Title: "《样例办法（草案）》征求意见采纳情况的公告", Paragraphs: []string{"现将有关情况公告如下：共收到意见3条。"}}, KindDocument},
		{"PublicNotice", Evidence{Title: "样例人选的公示", Paragraphs: []string{"现将名单予以公示。", "样例市民政局", "2026年11月27日"}}, KindDocument},
		{"CutTitle", Evidence{Title: "样例省教育厅关于印发样例省普通本科高校国家励志奖学金...", ListDate: "2026-11-27", Paragraphs: []string{"各有关高等学校：", "现印发给你们。"}}, KindDocument},
		{"NameAndOffice", Evidence{Title: "让基层更有活力", ListDate: "2026-11-27", Paragraphs: []string{"王样例 样例研究院院长", "基层是根基。"}}, KindSignedArticle},
		{"MarkedName", Evidence{Title: "让基层更有活力", ListDate: "2026-11-27", Paragraphs: []string{"基层是根基。", "■ 王样例"}}, KindSignedArticle},
		{"TwoNames", Evidence{Title: "让基层更有活力", ListDate: "2026-11-27", Paragraphs: []string{"王样例 李 例", "基层是根基。"}}, KindSignedArticle},
		{"MarkedReporter", Evidence{Title: "让基层更有活力", ListDate: "2026-11-27", Paragraphs: []string{"◎本报记者王样例", "基层是根基。"}}, KindNews},
		{"WrittenBy", Evidence{Title: "让基层更有活力", ListDate: "2026-11-27", Paragraphs: []string{"文/王样例", "基层是根基。"}}, KindSignedArticle},
		{"AuthorInTitle", Evidence{Title: "王样例：让基层更有活力", ListDate: "2026-11-27", Paragraphs: []string{"基层是根基。"}}, KindSignedArticle},
		{"EssayInADaily", Evidence{Title: "样例为什么能", ListDate: "2026-11-27", Labels: []Label{{"span", "作者", "王样例"}, {"span", "来源", "样例日报"}}, Paragraphs: []string{"样例不是书斋里的学问。", "它来自实践。", "它还要回到实践。"}}, KindSignedArticle},
		{"ReportInADaily", Evidence{Title: "样例公路四通八达", ListDate: "2026-11-27", Labels: []Label{{"span", "作者", "王样例"}, {"span", "来源", "样例日报"}}, Paragraphs: []string{"早饭后，村民开车进山。", "“路通了。”村民说。", "“收入多了。”他介绍。", "村支书表示：“还要再修。”"}}, KindNews},
		{"HeadlinesAboveTheReport", Evidence{Title: "社科界座谈样例", ListDate: "2026-11-27", Labels: []Label{{"span", "作者", "王样例"}, {"span", "来源", "样例日报"}}, Paragraphs: []string{"发挥作用 服务建设", "社科界座谈样例", "3月12日，社科联召开座谈会。", "与会者畅谈。"}}, KindNews},
		{"Reminder", Evidence{Title: "登记延续友情提示（2026年8月）", ListDate: "2026-11-27", Paragraphs: []string{"请登记证持有人注意有效期。", "详见附表。"}}, KindDocument},
		{"NamesAfterTheReportOfAnOffice", Evidence{Title: "样例小学“四强化”抓好学生安全工作", ListDate: "2026-11-27", Labels: []Label{{"span", "来源", "样例小学"}}, Paragraphs: []string{"为预防事故，样例小学做细安全工作。", "强化排查。", "强化教育。", "强化值守。", "（张样、何样江）"}}, KindNews},
		{"EssayByItsTitle", Evidence{Title: "机动车停车收费管理的几点思考", ListDate: "2026-11-27", Paragraphs: []string{"随着汽车增加，停车矛盾突出。", "一是完善规划。"}}, KindSignedArticle},
		{"OnADayInTheTitle", Evidence{Title: "样例市自8月1日起新建建筑须执行绿色建筑标准", ListDate: "2026-11-27", Paragraphs: []string{"日前，样例市下发意见。"}}, KindNews},
		{"OfficesFirst", Evidence{Title: "样例日报社社长、总编辑 崔样钧：做实践者", ListDate: "2026-11-27", Labels: []Label{{"dd", "来源", "样例日报"}}, Paragraphs: []string{"样例思想意义重大。", "一是坚持，二是创新。"}}, KindSignedArticle},
		{"NoticeOfALabeledUploader", Evidence{Title: "样例区中学音乐送教活动通知", ListDate: "2026-11-27", Labels: []Label{{"span", "作者", "石样芬"}}, Paragraphs: []string{"对象：中学教师", "地点：样例学校", "请准时参加。", "样例区教师进修学校", "2026年11月26日"}}, KindDocument},
		{"WhoSentTheReport", Evidence{Title: "名师引领明方向——样例区教研活动", ListDate: "2026-11-27", Paragraphs: []string{"为落实举措，11月20日上午，样例中学举行教研活动。", "一、观摩。", "二、研讨。", "大家收获很大。", "撰稿：王样例"}}, KindNews},
		{"WhoSentTextAndPictures", Evidence{Title: "样例局举办培训班", ListDate: "2026-11-27", Paragraphs: []string{"为提高能力，样例局举办培训。", "学员认真听讲。", "培训圆满。", "文/王样例 图/信息中心"}}, KindNews},
		{"SpokeOnADay", Evidence{Title: "我院邀请样例大学王样例教授作学术报告", ListDate: "2026-11-27", Paragraphs: []string{"11月17日上午，王教授为师生作了报告。", "报告精彩。"}}, KindNews},
		{"YearlyReport", Evidence{Title: "样例省教育厅2026年政府信息公开工作年度报告", ListDate: "2026-11-27", Paragraphs: []string{"根据条例，编制本报告。", "一、总体情况。"}}, KindDocument},
		{"PersonsPage", Evidence{Title: "样例市政协委员：王样", ListDate: "2026-11-27", Paragraphs: []string{"王样，男，汉族，1971年6月出生。", "现任样例公司经理。"}}, KindOther},
		{"EnglishConsultation", Evidence{Title: "Sample network consultation", ListDate: "2026-11-27", Paragraphs: []string{"The department maintains the network.", "We are seeking views on its future."}}, KindConsultation},
		{"EnglishCallInTheText", Evidence{Title: "Sample loans", ListDate: "2026-11-27", Paragraphs: []string{"We are seeking external views on a loan.", "It would start next year."}}, KindConsultation},
		{"EnglishOutcome", Evidence{Title: "Summary of responses to the consultation on loans", ListDate: "2026-11-27", Paragraphs: []string{"Forty people answered.", "Most agreed."}}, KindOther},
		{"EnglishAnnouncement", Evidence{Title: "Sample office unveils new limits", ListDate: "2026-11-27", Paragraphs: []string{"Today the office set new limits.", "They apply from May."}}, KindNews},
		{"EnglishSpeech", Evidence{Title: "Reform of sample powers", ListDate: "2026-11-27", Paragraphs: []string{"With permission, Mr Speaker, I should like to make a statement.", "It is about powers."}}, KindOther},
		{"EnglishRule", Evidence{Title: "Sample Safety (Fees) Regulations 2026", ListDate: "2026-11-27", Paragraphs: []string{"These Regulations come into force on 1 May.", "They revoke earlier ones."}}, KindDocument},
		{"IssuerInTitle", Evidence{Title: "教育部：网传说法不实", ListDate: "2026-11-27", Paragraphs: []string{"近日，有说法称样例。"}}, KindNews},
	} {
		if f := Understand(c.e); f.Kind != c.want {
			t.Errorf("%s: %q, want %q (by-line %q)", c.name, f.Kind, c.want, f.Byline)
		}
	}
}

// A line of names above a text is its by-line; words that begin like a name are not names.
func TestPersonLines(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"王样例 样例研究院院长": "王样例|样例研究院院长", "李例（样例大学教授、博士生导师）": "李例|样例大学教授、博士生导师", "王样/样例所研究员": "王样|样例所研究员",
		"王 样 李 例 陈样例": "王 样、李 例、陈样例|", "王样例、李例": "王样例、李例|", "欧阳样例": "欧阳样例|",
		"高质量": "|", "方案": "|", "样例市民政局": "|", "成都 安徽": "|", "金融": "|", "第一章 总则": "|", "王样例 副市长": "|", "": "|",
	} {
		c := ReadCredit(line)
		if !c.Whole {
			c = Credit{}
		}
		if got := strings.Join(c.Persons, "、") + "|" + c.Office; got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
