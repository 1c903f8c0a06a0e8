package policy

import (
	"fmt"
	"strings"
	"testing"
)

func TestCitations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, title string
		paragraphs  []string
		want        string // relation title number status, one a line
	}{
		{"Repeal", "专利法实施细则", []string{"第一条 x", "1992年12月12日国务院批准修订、1992年12月21日中国专利局发布的《中华人民共和国专利法实施细则》同时废止。"}, "废止|中华人民共和国专利法实施细则||issued"},
		{"RepealSeveral", "样例办法", []string{"x", "本办法自2024年1月1日起施行。《甲管理办法》（样政发〔2010〕1号）、《乙规定》同时废止。"}, "废止|甲管理办法|样政发〔2010〕1号|issued\n废止|乙规定||issued"},
		{"RepealAfterComma", "样例解释", []string{"x", "本解释自2013年1月1日起施行，最高人民法院1998年9月2日公布的《关于执行〈刑事诉讼法〉若干问题的解释》同时废止；以前发布的司法解释与《样例规定》不一致的，以本解释为准。"}, "废止|关于执行《刑事诉讼法》若干问题的解释||issued\n|样例规定||issued"},
		{"NotTheNew", "样例办法", []string{"x", "《新办法》自2024年1月1日起施行，《旧办法》同时废止。"}, "|新办法||issued\n废止|旧办法||issued"},
		{"NoRepeal", "样例法", []string{"x", "《行政复议法》规定，复议期间具体行政行为不停止执行。", "《样例条例》的修改或者废止，依照法定程序进行。"}, "|行政复议法||issued\n|样例条例||issued"},
		{"RepealTitle", "国务院关于废止《甲条例》的决定", []string{"x"}, "废止|甲条例||issued"},
		{"RepealNumber", "样例市人民政府关于废止样政发〔1989〕33号文件的通知", []string{"x"}, "废止||样政发〔1989〕33号|issued"},
		{"RepealList", "样例市科委关于宣布失效一批文件的通知", []string{"下列文件予以废止：", "1.《甲管理办法》（样科〔2008〕第006号）", "2、样科发〔2009〕12号", "另行通知。"}, "废止|甲管理办法|样科〔2008〕6号|issued\n废止||样科发〔2009〕12号|issued"},
		{"RepealLines", "样例市科委关于5件规范性文件失效的通知", []string{"根据《样例市规范性文件规定》（样例市人民政府令第26号）的规定，对以下规范性文件宣布失效：", "1.样例市大学生基金管理办法（试行）", "发文单位：市科委", "文号：样科合〔2005〕第11号", "2.关于扶持创业的意见"}, "依据|样例市规范性文件规定|样例市人民政府令第26号|issued\n废止|样例市大学生基金管理办法（试行）|样科合〔2005〕11号|issued\n废止|关于扶持创业的意见||issued"},
		{"Implements", "重庆市人民政府办公厅关于印发实施方案的通知", []string{"为贯彻落实《国务院办公厅关于促进内外贸一体化发展的意见》（国办发〔2021〕59号）精神，结合实际，制定本方案。"}, "印发|实施方案||issued\n落实|国务院办公厅关于促进内外贸一体化发展的意见|国办发〔2021〕59号|issued"},
		{"Basis", "样例办法", []string{"根据《中华人民共和国慈善法》、《社会团体登记管理条例》等法律法规，制定本办法。"}, "依据|中华人民共和国慈善法||issued\n依据|社会团体登记管理条例||issued"},
		{"BasisNumber", "样例市关于养老的通知", []string{"根据国办发〔2019〕5号文件精神，现就有关事项通知如下。"}, "依据||国办发〔2019〕5号|issued"},
		{"BasisLate", "样例办法", []string{"a", "b", "c", "d", "e", "当事人可以依据《仲裁法》的规定申请仲裁。"}, "|仲裁法||issued"},
		{"Amends", "国务院关于修改《甲条例》的决定", []string{"国务院决定对《甲条例》作如下修改："}, "修改|甲条例||issued"},
		{"Interprets", "《油气管网设施公平开放办法》政策解读", []string{"x"}, "解读|油气管网设施公平开放办法||issued"},
		{"Promised", "高扬旗帜", []string{"要贯彻即将配套出台的《城乡社区服务体系建设“十二五”规划》。", "年内出台养老服务管理办法，抓好落实。"}, "|城乡社区服务体系建设“十二五”规划||promised\n|养老服务管理办法||promised"},
		{"Done", "报告", []string{"去年出台了《养老服务条例》，制定出台的《细则》见效。"}, "|养老服务条例||issued\n|细则||issued"},
		{"NoNumbers", "报告", []string{"根据十三届全国人大三次会议第4196号代表建议，联系电话54038732。"}, ""},
	} {
		var got []string
		for _, x := range Understand(Evidence{Title: c.title, Paragraphs: c.paragraphs}).Citations {
			got = append(got, fmt.Sprintf("%s|%s|%s|%s", x.Relation, x.Title, x.Number, x.Status))
		}
		if s := strings.Join(got, "\n"); s != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, s, c.want)
		}
	}
}
