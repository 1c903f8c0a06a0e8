package ingest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFileParagraphs(t *testing.T) {
	pages := []string{
		"样例市人民政府关于养老服务的通知\r\n样政发〔2026〕5号\r\n各县人民政府，市政府各部门：\r\n为了加快养老服务发展，现就有关事项通知如下，请各地各部门认真贯\r\n彻执行。\r\n一、总体要求。坚持以人民为中心，按照有关规定，结合本市实际，统\r\n- 1 -",
		"筹推进各项工作。\r\n第二条 A long English line that is as wide as the others are\r\nand goes on.\r\n2",
	}
	want := []string{
		"样例市人民政府关于养老服务的通知", "样政发〔2026〕5号", "各县人民政府，市政府各部门：",
		"为了加快养老服务发展，现就有关事项通知如下，请各地各部门认真贯彻执行。",
		"一、总体要求。坚持以人民为中心，按照有关规定，结合本市实际，统筹推进各项工作。",
		"第二条 A long English line that is as wide as the others are and goes on.",
	}
	pages[1] = pages[1][:len(pages[1])-1] + "- 2 -"
	if d := cmp.Diff(want, fileParagraphs(pages)); d != "" {
		t.Error(d)
	}
	it := AddFile(Item{}, []string{"", ""})
	if len(it.Warnings) != 1 {
		t.Errorf("a scan gives no warning: %+v", it)
	}
	if got := fileParagraphs([]string{"一行很长很长的段落没有句号\u2029另一段\u2029\u2029"}); len(got) != 2 {
		t.Errorf("paragraphs were joined: %q", got)
	}
}
