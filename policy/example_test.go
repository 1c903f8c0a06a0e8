package policy_test

import (
	"fmt"

	"dibao/policy"
)

// Understand evaluates the evidence of a page: the facts come with their provenance.
func ExampleUnderstand() {
	facts := policy.Understand(policy.Evidence{
		URL:    "https://www.example.gov.cn/zc/202611/t20261120_1.html",
		Title:  "样例省人民政府办公厅关于加快发展养老服务业的实施意见",
		Labels: []policy.Label{{Name: "发文字号", Value: "样政办发[2026]15号"}, {Name: "发布日期", Value: "2026-11-20"}},
		Paragraphs: []string{
			"各市人民政府：", "为加快发展养老服务业，提出如下意见。", "本意见自2027年1月1日起施行，有效期5年。",
		},
		Zone: "Asia/Shanghai",
	})
	fmt.Println(facts.Kind, facts.Type, facts.DocumentNumber)
	fmt.Println("published", facts.PublishedOn)
	fmt.Println("in force from", facts.EffectiveOn, "to", facts.ExpiresOn)
	// Output:
	// document 意见 样政办发〔2026〕15号
	// published 2026-11-20
	// in force from 2027-01-01 to 2031-12-31
}

// ParseNumber reads a document number in any form, and nothing else.
func ExampleParseNumber() {
	fmt.Println(policy.ParseNumber("国办发[2023]15号"))
	fmt.Println(policy.ParseNumber("2026-02-00018"))
	// Output:
	// 国办发〔2023〕15号 true
	//  false
}
