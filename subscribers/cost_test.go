package subscribers

import (
	"bytes"
	"testing"

	"dibao/internal/costtest"
	"dibao/subscribers/mailaddr"
)

// TestCostOfImports reads files of readers.
func TestCostOfImports(t *testing.T) {
	costtest.Linear(t, []costtest.Seed{
		{Name: "Rows", Head: "email,name\n", Units: []string{"a%d@b.test,张%d\n"}},
		{Name: "SameRows", Head: "email\n", Units: []string{"a@b.test\n"}},
		{Name: "NoHeader", Units: []string{"a%d@b.test\n"}},
		{Name: "Columns", Head: "email,", Units: []string{"a%d,"}},
		{Name: "Fields", Head: "email\n", Units: []string{","}},
		{Name: "Semicolons", Units: []string{";"}},
		{Name: "LongField", Head: "email\n", Units: []string{"a"}},
		{Name: "OpenQuote", Head: "email\n\"", Units: []string{"a@b.test\n"}},
		{Name: "Quotes", Head: "email\n", Units: []string{`"`}},
		{Name: "QuotedLines", Head: "email\n", Units: []string{"\"a%d@b.test\"\r\n"}},
		{Name: "Lines", Head: "email\n", Units: []string{"\n"}},
		{Name: "Returns", Head: "email\r", Units: []string{"a%d@b.test\r"}},
		{Name: "UTF16", Head: "\xff\xfe", Units: []string{"a\x00@\x00b\x00.\x00c\x00n\x00\n\x00"}},
		{Name: "GB18030", Head: "email,name\n", Units: []string{"a%d@b.test,\xd5\xc5\n"}},
		{Name: "Invalid", Units: []string{"\xff"}},
	}, func(b []byte) {
		in, err := newImportReader(bytes.NewReader(b), ColumnChoice{})
		for err == nil {
			_, err = in.next()
		}
	})
	costtest.Report(t, "subscribers, imports")
}

// TestCostOfAddresses parses what people enter as their address.
func TestCostOfAddresses(t *testing.T) {
	costtest.Linear(t, []costtest.Seed{
		{Name: "Letters", Units: []string{"a"}, Tail: "@b.test"},
		{Name: "Dots", Head: "a@", Units: []string{"a."}, Tail: "test"},
		{Name: "At", Units: []string{"@"}},
		{Name: "Angles", Units: []string{"<a@b.test>"}},
		{Name: "Quotes", Units: []string{`"\"`}},
		{Name: "Comments", Units: []string{"("}, Tail: "a@b.test"},
		{Name: "Wide", Head: "a@", Units: []string{"关."}, Tail: "test"},
	}, func(b []byte) { mailaddr.Parse(string(b)) })
	costtest.Report(t, "subscribers, addresses")
}
