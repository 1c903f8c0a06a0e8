package policy

import (
	"strings"
	"testing"
)

// A headline can have up to eight lines, with joint issuers above it and the number below.
func TestHeadlineOfManyLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, title     string
		text            string
		number, issuers string
		first           string
	}{
		{"Joint", "样例部办公厅 例样部办公厅关于印发《样例方案》的通知", "样例部办公厅\n例样部办公厅\n关于印发《样例\n方案》的通知\n样办发〔2020〕5号\n各地：", "样办发〔2020〕5号", "样例部办公厅 例样部办公厅", "各地："},
		{"RedHeadInOneLine", "省样例厅关于将相关人员纳入城镇 企业样例保险有关问题的通知", "样例省人力资源厅文件\n样人发〔2015〕7号\n省样例厅关于将相关人员纳入城镇\n企业样例保险有关问题的通知\n各市、州：", "样人发〔2015〕7号", "省样例厅", "各市、州："},
		{"TitleWithoutIssuers", "关于印发《样例方案》的通知", "样例市教育局\n样例市财政局\n样例市人力资源和社会保障局\n样例市民政局\n关于印发《样例方案》\n的通知\n样教发〔2020〕5号\n各地：", "样教发〔2020〕5号", "样例市教育局 样例市财政局 样例市人力资源和社会保障局 样例市民政局", "各地："},
		{"IssuerInItsFirstLine", "关于开展外籍和港澳台样例人才认定工作的通知", "样例省外国专家局关于开展外籍和港澳台\n样例人才认定工作的通知\n样外专规〔2017〕1号\n各地：", "样外专规〔2017〕1号", "样例省外国专家局", "各地："},
		{"NumberAboveTitle", "关于印发《样例方案》的通知", "样教发〔2020〕5号\n样例市教育局\n关于印发《样例方案》的通知\n各地：", "样教发〔2020〕5号", "样例市教育局", "各地："},
		{"ListTitleDiffers", "样例方案", "样例市教育局\n样例市财政局\n样例市民政局\n样教发〔2020〕5号\n各地：", "样教发〔2020〕5号", "", "样例市教育局"},
		{"OrderByItsIssuer", "潍坊市人民政府令", "第77号\n《样例办法》已经市政府常务会议通过，现予发布。", "潍坊市人民政府令第77号", "潍坊市人民政府", "《样例办法》已经市政府常务会议通过，现予发布。"},
		{"WithItsColumn", "样例市贡献侨力量", "样例市贡献侨力量(侨界传真)\n样例市侨界人士热心公益。", "", "", "样例市侨界人士热心公益。"},
		{"NumberBelowTheAnnouncement", "样例法院关于修改《样例规定》的决定", "《样例法院关于修改〈样例规定〉的决定》已通过，现予公布。\n样例法院\n2017年2月28日\n样释〔2017〕7号\n为了样例，决定：", "样释〔2017〕7号", "样例法院", "《样例法院关于修改〈样例规定〉的决定》已通过，现予公布。"},
		{"NumberWithItsDay", "关于印发《样例方案》的通知", "（样教发〔2020〕5号  2020年7月10日）\n各地：", "样教发〔2020〕5号", "", "各地："},
		{"ListOfNumbers", "样例部关于废止文件的决定", "一、样例一\n二、样例二\n三、样例三\n样发〔2001〕1号\n样发〔2001〕2号", "", "样例部", "一、样例一"},
	} {
		f := Understand(Evidence{Title: c.title, Paragraphs: strings.Split(c.text, "\n")})
		if f.DocumentNumber != c.number || strings.Join(f.Issuers, " ") != c.issuers || f.Paragraphs[0] != c.first {
			t.Errorf("%s: number %q, issuers %q, begins %q", c.name, f.DocumentNumber, f.Issuers, f.Paragraphs[0])
		}
	}
}
