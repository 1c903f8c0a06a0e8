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
		"资助额度为：重点项目30万元，一般项目15万元。":         2,
		"资助额度为：重点项目30万元，自筹部分15万元。":         1,
		"资助标准为：重点项目30万元，失信单位罚款15万元。":       1,
		"按照初中每生每学年6000元（每学期3000元）的标准进行补贴。": 1,
		"注册资本6000元（含）以上的单位可申报。":            0,
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

// A sentence names applicants only if it says something about them, or names them after 面向, 对 and the
// like. Those who are described, helped or asked by others are no applicants.
func TestApplicantsInSentences(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ text, known, unknown string }{
		{"请区内各企业对照要求积极申报。", "enterprise", ""},
		{"请申领企业如实填写申领书，提交至样例部门。", "enterprise", ""},
		{"请各县样例局动员企业、高校、科研院所、产业联盟及行业协会积极申报。", "enterprise university institute association", ""},
		{"生产目录内装备的企业，按要求向样例局提交材料。", "enterprise", ""},
		{"一、申报条件¶申报单位须为依法登记、具备独立法人资格的企事业单位或联合体。", "enterprise institution", ""},
		{"三、参赛条件¶参赛单位须为注册满一年、具备独立法人资格的科技型企业或农民专业合作社。", "enterprise cooperative", ""},
		{"一、评估对象¶（一）申请参加评估的社会组织应当符合下列条件之一：", "association", ""},
		{"（二）补贴对象。从事样例生产的个人和经营组织，包括农户、家庭农场、农民合作社、农业企业等。", "enterprise cooperative individual", ""},
		{"现面向海内外优秀在读博士生开展样例计划申报。", "student", ""},
		{"1.本次征集接受学生个人申请和教师推荐两种方式。", "student", ""},
		{"有意向且符合条件学生在样例平台http://a.example.cn/login完成报名；", "student", ""},
		{"一、报名条件¶普通高校在籍21级、22级本科生，在籍研究生。", "student", ""},
		{"现面向辖区企业、人才受理样例公寓申请。", "enterprise", ""},
		{"二、申报对象¶申报对象重点为样例湾区，同时面向全国高校、科研院所、企事业单位及其他机构中从事样例研究的青年学者。", "", "同时面向全国高校、科研院所、企事业单位及其他机构中从事样例研究的青年学者"},
		{"一、面向对象¶文化产业、旅游产业、体育产业类人才", "", "文化产业、旅游产业、体育产业类人才"},
		{"补贴对象：符合条件的用人单位（所有股东均为法人股东的企业、劳务派遣企业除外）。", "", "符合条件的用人单位（所有股东均为法人股东的企业、劳务派遣企业除外）"},
		{"一、评选对象：面向全市所有医院主治医师及以上职称的医师。", "", "面向全市所有医院主治医师及以上职称的医师"},
		{"一、申报条件¶全国样例高校或海外高校2027年应届博士。", "", ""},
		{"一、申报条件¶普通高等学校、中等职业学校、技工院校学生（在校及毕业五年内）。", "student", ""},
		{"样例学会欢迎高校、科研院所、企事业单位、社会组织及个人以协办、承办等形式参与申报活动。", "", ""},
		{"一、支持范围¶支持单项冠军和专精特新企业深入实施提质行动。", "", ""},
		{"一、支持范围¶以提升规模以上工业企业数字化设备普及率为目标。", "", ""},
		{"二、参加对象¶所有全日制在校本科生。", "student", ""},
		{"现面向全校征集样例作品。", "", ""},
		{"一、申请认定范围¶有实践经验的个人、团队和企事业单位，均可申请认定为特派员。", "enterprise institution individual", ""},
		{"参赛对象包括企业、高校、科研机构、个人等。", "enterprise university institute individual", ""},
		{"一、申报条件¶在样例机构或高等学校、科研院所从事专利工作两年以上，能够指导企业。", "", ""},
		{"四、请各学院申报，有条件的可以邀请企业、实习基地的专家参与。", "", ""},
		{"申报人须参加样例学会于2026年举办的论坛。", "", ""},
		{"由集群所在地中小企业主管部门作为申报主体。", "", ""},
		{"申报单位应向协会提出申请。", "", ""},
	} {
		w := whoOfText("关于组织申报样例项目的通知", row.text)
		if known, unknown := valuesOf(w.Entities), valuesOf(w.Unknown); known != row.known || unknown != row.unknown || len(w.Sizes) > 0 || len(w.Industries) > 0 {
			t.Errorf("%s:\n got %q, %q, %v, %v\nwant %q, %q", row.text, known, unknown, w.Sizes, w.Industries, row.known, row.unknown)
		}
	}
}

// Rates at which interest is paid are benefits; those of loans, and those that loans must not exceed, are not.
func TestRatesOfInterest(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"按贷款实际利率的50%给予贴息。":          "50%",
		"按照同期LPR的30%进行贴息。":          "30%",
		"贴息率为2%，单户最高不超过20万元。":       "<=200000,2%",
		"财政贴息1.5个百分点。":              "1.5%",
		"按不超过贷款利息的40%给予补助。":         "40%",
		"可按实际支付金额的 15% 申请补贴。":       "15%",
		"贷款年利率不超过4%的，可以申报贴息。":       "",
		"样例银行提供年利率3.45%的贷款。":        "",
		"贷款利率最高为LPR加150个百分点以内的可申报。": "",
		"带动就业增长2个百分点的企业给予支持。":       "",
	} {
		c, _ := Extract("关于组织申报样例贴息项目的通知", []string{"各有关单位：", text}, when.MakeDate(2026, 12, 1))
		got, _, _ := strings.Cut(strings.TrimPrefix(brief(c), "subject=样例贴息项目; "), "; ")
		if got = strings.TrimPrefix(got, "brings="); strings.Contains(got, "=") && !strings.HasPrefix(got, "<") || got == "subject=样例贴息项目" {
			got = ""
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
