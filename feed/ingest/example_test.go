package ingest_test

import (
	"fmt"
	"strings"

	"dibao/feed/ingest"
)

// lines reads a list in which each line is an address, a tab and a title.
type lines struct{}

func (lines) Read(p ingest.Page, _ ingest.Source) (all []ingest.Item, err error) {
	for line := range strings.Lines(string(p.Body)) {
		address, title, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if ok {
			all = append(all, ingest.Item{GUID: address, URL: address, Title: title, NeedsPage: true})
		}
	}
	return all, nil
}

// A new kind of source is a Reader, and a line in Kinds.
func ExampleReader() {
	ingest.Kinds["lines"] = lines{}
	defer delete(ingest.Kinds, "lines")
	list, err := ingest.ReadKind("lines", ingest.Page{
		URL: "https://www.example.gov.cn/list.txt", Body: []byte("https://www.example.gov.cn/1.html\t关于养老服务的通知\n"),
	}, ingest.Source{})
	if err != nil {
		fmt.Println(err)
	}
	for _, it := range list.Items {
		fmt.Println(it.Title, it.URL)
	}
	// Output:
	// 关于养老服务的通知 https://www.example.gov.cn/1.html
}
