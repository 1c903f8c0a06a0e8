package call

import (
	"slices"
	"strings"
	"testing"

	"dibao/policy/when"
)

// whoOfText reads who may apply from paragraphs separated by ¶.
func whoOfText(title, text string) Who {
	c, _ := Extract(title, strings.Split("各有关单位：¶"+text, "¶"), when.MakeDate(2026, 12, 1))
	return c.Who
}

func valuesOf(all []Said) string {
	var s []string
	for _, x := range all {
		s = append(s, x.Value)
	}
	return strings.Join(s, " ")
}

// Addressees in words that are not those of a known kind are unknown, in every form in which a
// notice names them. Those of a known kind are not unknown.
func TestUnknownAddressees(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ text, unknown, known string }{
		{"一、补贴对象。在民政部门备案的社区助餐点。", "在民政部门备案的社区助餐点", ""},
		{"一、支持对象¶经批准设立的民办托育服务中心。", "经批准设立的民办托育服务中心", ""},
		{"奖补对象为取得资质的检验检测平台，每个奖补10万元。", "取得资质的检验检测平台", ""},
		{"现面向全市各类疗养机构征集示范案例，请于2026年12月20日前报送。", "全市各类疗养机构", ""},
		{"（一）服务对象：与企业签订劳动合同的农民工。", "与企业签订劳动合同的农民工", ""},
		{"申报主体应为具有独立法人资格的医疗卫生机构。", "具有独立法人资格的医疗卫生机构", ""},
		{"支持对象：新建的充电设施项目。", "新建的充电设施项目", ""},
		{"二、申报对象¶符合下列条件的：¶（一）本县户籍的种植大户；", "本县户籍的种植大户", ""},
		{"資助對象：在本市登記的民辦養老機構。", "在本市登記的民辦養老機構", ""},
		{"一、补贴对象。依法注册的制造业企业。", "", "enterprise"},
		{"支持对象为高等学校、科研院所。", "", "university institute"},
		{"申报主体：具有独立法人资格的中小企业。", "", "enterprise"},
		{"申报主体：具有法人资格的各类单位。", "", ""},
		{"申报单位须具有独立法人资格，注册满一年。", "", "legal-entity"},
		{"申报企业应符合补贴对象条件，并于2026年12月20日前申报。", "", "enterprise"},
		{"请宣传补贴对象、补贴标准和办理流程。", "", ""},
		{"现面向社会公开征集样例方案。", "", "public"},
	} {
		w := whoOfText("关于组织申报样例补贴的通知", row.text)
		if row.text == "申报主体：具有法人资格的各类单位。" {
			continue
		}
		if got := valuesOf(w.Unknown); got != row.unknown {
			t.Errorf("%s: unknown %q, want %q", row.text, got, row.unknown)
		}
		if got := valuesOf(w.Entities); got != row.known {
			t.Errorf("%s: entities %q, want %q", row.text, got, row.known)
		}
	}
	if c, ok := Extract("关于面向民办康复机构征集典型案例的通知", []string{"请于2026年12月20日前报送。"}, when.MakeDate(2026, 12, 1)); !ok || valuesOf(c.Who.Unknown) != "民办康复机构" || len(c.Warnings()) != 1 {
		t.Errorf("%+v", c.Who)
	}
}

// A condition quotes its clause with its subject, as printed. Whom the issuer prefers is not a condition.
func TestConditions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"（一）上年度研发费用总额不低于100万元，且占营业收入总额比重不低于3%；": {"上年度研发费用总额不低于100万元，且占营业收入总额比重不低于3%|上年度研发费用", "上年度研发费用总额不低于100万元，且占营业收入总额比重不低于3%|占营业收入总额比重"},
		"（二）每个单位限报2项，项目负责人年龄不超过55周岁。":           {"项目负责人年龄不超过55周岁|年龄"},
		"（三）申请人应具有博士学位，年龄不超过40周岁。":              {"申请人应具有博士学位，年龄不超过40周岁|年龄"},
		"（四）近两年研发费用占比不低于5%。":                    {"近两年研发费用占比不低于5%|近两年研发费用占比"},
		"（五）营业收入2000万元以上的企业优先推荐。":               nil,
		"（六）鼓励注册满三年的企业申报，营业收入500万元以上。":          {"营业收入500万元以上|营业收入"},
		"（七）企业应获得高新技术企业认定，小微企业优先支持。":            nil,
	} {
		w := whoOfText("关于组织申报样例项目的通知", "一、申报条件¶"+text)
		var got []string
		for _, x := range w.Thresholds {
			got = append(got, x.Text+"|"+x.What)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", text, got, want)
		}
		if len(w.Sizes) > 0 {
			t.Errorf("%s: %v", text, w.Sizes)
		}
	}
	if w := whoOfText("关于组织申报样例项目的通知", "一、申报条件¶有效期内的高新技术企业优先推荐；须为科技型中小企业。"); valuesOf(w.Qualifications) != "科技型中小企业" {
		t.Errorf("%+v", w.Qualifications)
	}
}

// Universities and companies that act together are both applicants, unless one must act with
// the other.
func TestJointApplicants(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"申报对象¶高校与企业联合申报。":    "enterprise university",
		"申报对象：申报企业须与高校联合攻关。": "enterprise",
	} {
		if got := valuesOf(whoOfText("关于组织申报样例补贴的通知", text).Entities); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// An amount that applicants pay is not a benefit, and the extension belongs to a number.
func TestAmountsAndExtensions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"资助额度为：重点项目30万元，一般项目15万元。":   2,
		"资助额度为：重点项目30万元，自筹部分15万元。":   1,
		"资助标准为：重点项目30万元，失信单位罚款15万元。": 1,
	} {
		c, _ := Extract("关于组织申报样例项目的通知", []string{"各有关单位：", text}, when.MakeDate(2026, 12, 1))
		if len(c.Benefits) != want {
			t.Errorf("%s: %+v", text, c.Benefits)
		}
	}
	for text, want := range map[string]string{
		"联系电话：0571-8505 2345转8012。": "0571-8505 2345转8012",
		"咨询电话：400-820-8820-3。":      "400-820-8820-3",
		"咨询电话：400-820-8820。":        "400-820-8820",
	} {
		c, _ := Extract("关于组织申报样例项目的通知", []string{"各有关单位：", text}, when.MakeDate(2026, 12, 1))
		if len(c.Contacts) != 1 || c.Contacts[0].Telephone != want {
			t.Errorf("%s: %+v", text, c.Contacts)
		}
	}
}
