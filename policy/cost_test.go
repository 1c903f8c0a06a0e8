package policy_test

import (
	"strings"
	"testing"

	"dibao/internal/costtest"
	"dibao/policy"
)

// texts are seeds of titles and of texts.
var texts = []costtest.Seed{
	{Name: "Paragraphs", Units: []string{"一、各地要认真做好养老服务工作。\n"}},
	{Name: "OneParagraph", Units: []string{"各地要认真做好养老服务工作，"}},
	{Name: "Numbers", Units: []string{"国发〔2026〕%d号、"}},
	{Name: "NumberLines", Units: []string{"国发〔2026〕%d号\n"}},
	{Name: "OpenNumbers", Units: []string{"国发〔2026"}},
	{Name: "Titles", Units: []string{"《关于第%d号文件的通知》"}},
	{Name: "OpenTitles", Units: []string{"《关于"}},
	{Name: "NestedTitles", Units: []string{"《〈"}},
	{Name: "ListedTitles", Units: []string{"《ab》、"}},
	{Name: "OpenQuotes", Units: []string{"“关于"}},
	{Name: "InForce", Units: []string{"自2026年1月1日起施行，本办法。"}},
	{Name: "OpenInForce", Units: []string{"自公布之日起"}},
	{Name: "ClosedTitles", Units: []string{"》"}},
	{Name: "Brackets", Units: []string{"（"}},
	{Name: "Dates", Units: []string{"2026年11月20日"}},
	{Name: "DateLines", Units: []string{"2026年11月20日\n"}},
	{Name: "Digits", Units: []string{"2026112"}},
	{Name: "ChineseDigits", Units: []string{"二〇二六年十一月"}},
	{Name: "Effective", Units: []string{"本办法自2026年11月20日起施行，有效期5年。\n"}},
	{Name: "Deadlines", Units: []string{"意见反馈截止时间为2026年11月%d日。\n"}},
	{Name: "Issuers", Units: []string{"国务院办公厅 财政部 "}},
	{Name: "IssuerLines", Units: []string{"国务院办公厅\n"}},
	{Name: "Repeals", Units: []string{"《第%d号办法》同时废止。"}},
	{Name: "Regions", Units: []string{"浙江省杭州市"}},
	{Name: "Labels", Units: []string{"发布日期：2026-11-20 来源：办公厅 "}},
	{Name: "Spaces", Units: []string{" \u3000"}},
	{Name: "Letters", Units: []string{"a"}},
	{Name: "Lines", Units: []string{"\n"}},
	{Name: "Invalid", Units: []string{"\xff\xe5"}},
}

// TestCostOfUnderstanding evaluates texts of every kind, up to the length that is read.
func TestCostOfUnderstanding(t *testing.T) {
	paragraphs := func(b []byte) []string { return strings.Split(string(b[:min(len(b), policy.MaxText)]), "\n") }
	for name, read := range map[string]func([]byte){
		"Text": func(b []byte) {
			policy.Understand(policy.Evidence{Title: "关于做好养老服务工作的通知", Paragraphs: paragraphs(b)})
		},
		"Repeal": func(b []byte) {
			policy.Understand(policy.Evidence{Title: "关于废止部分文件的决定", Paragraphs: paragraphs(append([]byte("一、"), b...))})
		},
		"Title":   func(b []byte) { policy.ParseTitle(string(b)) },
		"Numbers": func(b []byte) { policy.FindNumbers(string(b)) },
		"Number":  func(b []byte) { policy.ParseNumber(string(b)) },
	} {
		t.Run(name, func(t *testing.T) { costtest.Linear(t, texts, read) })
	}
	costtest.Report(t, "policy, texts")
}
