package subscribers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/policy/match"
)

func opener(file string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(file)), nil }
}

// take imports a file into the weekly list.
func (f *fixture) take(file string) Imported {
	f.t.Helper()
	out, err := f.Import(f.t.Context(), Import{Open: opener(file), Lists: []List{f.weekly}, Consent: "form 7", Apply: true})
	if err != nil {
		f.t.Fatalf("import %.80q: %v", file, err)
	}
	return out
}

func (f *fixture) export() string {
	f.t.Helper()
	var b bytes.Buffer
	if _, err := f.Export(f.t.Context(), &b, 0); err != nil {
		f.t.Fatal(err)
	}
	return b.String()
}

func TestImportReadsFilesAsTheyCome(t *testing.T) {
	gbk, _ := simplifiedchinese.GBK.NewEncoder().String("姓名,邮箱地址,单位\r\n张三,zhang@example.org,民政局\r\n李四,li@example.org,财政局\r\n")
	utf16, _ := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String("Email\tName\nzhang@example.org\t张\nli@example.org\t李\n")
	sjis, _ := japanese.ShiftJIS.NewEncoder().String("氏名,メールアドレス\r\n張,zhang@example.org\r\n李,li@example.org\r\n")
	files := map[string]string{
		"Plain":       "email,name\nzhang@example.org,Z\nli@example.org,L\n",
		"BOM":         "\xef\xbb\xbfE-Mail;Name\r\nzhang@example.org;Z\r\nli@example.org;L\r\n",
		"GBK":         gbk,
		"UTF16":       utf16,
		"Tabs":        "电子邮箱\t姓名\nzhang@example.org\t张\nli@example.org\t李\n",
		"Newlines":    "name,email,note\n\"Zhang\nSan\",zhang@example.org,\"a, \"\"b\"\"\nc\"\nLi,li@example.org,\n",
		"ExcelSep":    "sep=;\nname;email\nZ;zhang@example.org\nL;li@example.org\n",
		"OneALine":    "zhang@example.org\nli@example.org\n",
		"NoHeader":    "Zhang,zhang@example.org\nLi,li@example.org\n",
		"DisplayName": "email\n\"Zhang <zhang@example.org>\"\n\"Li\" <li@example.org>\n",
		"Roster":      "Zhang <zhang@example.org>\n\"Li, L\" <li@example.org>\n",
		"MacLines":    "email,name\rzhang@example.org,Z\rli@example.org,L\r",
		"UTF16NoMark": strings.TrimPrefix(utf16, "\xff\xfe"),
		"ShiftJIS":    sjis,
		"Mailchimp":   "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP\nzhang@example.org,Z,,2,\"2025-01-02 03:04:05\",192.0.2.1,\"2025-01-02 03:05:05\",192.0.2.1\nli@example.org,L,,2,,,,\n",
		"Listmonk":    "uuid,email,name,attributes,status,created_at,updated_at\n1,zhang@example.org,Z,\"{\"\"city\"\": \"\"x\"\"}\",enabled,2025-01-02,2025-01-02\n2,li@example.org,L,{},enabled,2025-01-02,2025-01-02\n",
		"BlankLines":  "\n\nemail\n\nzhang@example.org\n\nli@example.org\n\n",
		"Formulas":    "email,x\nzhang@example.org,=1+1\nli@example.org,'=2\n",
	}
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		for name, file := range files {
			t.Run(name, func(t *testing.T) {
				wipe(t, db)
				f := newFixture(t, db)
				out := f.take(file)
				if out.Rows != 2 || out.Readers != 2 || out.Added != 2 || out.Refused != 0 {
					t.Fatalf("%+v, want 2 readers of 2 rows", out)
				}
				if f.states("zhang@example.org") != "weekly=confirmed" || f.states("li@example.org") != "weekly=confirmed" {
					t.Errorf("states %q, %q", f.states("zhang@example.org"), f.states("li@example.org"))
				}
				if got := f.log("li@example.org"); got != "weekly imported  form 7\n" {
					t.Errorf("log %q", got)
				}
				before := f.dump()
				if again := f.take(file); again.Added != 0 || again.Known != 2 || f.dump() != before {
					t.Errorf("the second time: %+v, and rows changed: %t", again, f.dump() != before)
				}
			})
		}
	})
}

func TestImportRefusesByRow(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		left := f.reader("left@example.org", f.weekly)
		if _, err := f.Unsubscribe(t.Context(), left, 0, "one-click", testNetwork); err != nil {
			t.Fatal(err)
		}
		if err := f.Suppress(t.Context(), "dead@example.org", ReasonBounce, ""); err != nil {
			t.Fatal(err)
		}
		f.ask("pending@example.org", f.weekly)
		file := "email,status,UNSUB_TIME,CLEAN_TIME,list\n" +
			"good@example.org,subscribed,,,\n" + // row 2
			",,,,\n" +
			"no address,,,,\n" +
			"LEFT@example.org,,,,\n" +
			"dead@example.org,,,,\n" +
			"noreply@example.org,,,,\n" +
			"blocked@example.org,blocklisted,,,\n" +
			"gone@example.org,,2025-01-01,,\n" +
			"cleaned@example.org,,,2025-01-01,\n" +
			"never@example.org,unconfirmed,,,\n" +
			"x@example.org,,,,nowhere\n" +
			"info@example.org,,,,monthly\n" + // row 13
			"a@gmial.com,,,,\n" +
			"good@example.org,,,,\n" + // twice
			"pending@example.org,,,,\n" +
			strings.Repeat("y", 5000) + "@example.org,,,,\n" +
			"carol@@example.org,,,,\n" + // row 18
			"carol@example.org; dora@example.org,,,,\n"
		dry, err := f.Import(t.Context(), Import{Open: opener(file), Lists: []List{f.weekly}, Consent: "form 7"})
		if err != nil {
			t.Fatal(err)
		}
		before := f.dump()
		out := f.take(file)
		if fmt.Sprint(dry) != fmt.Sprint(out) {
			t.Errorf("the dry run told %+v, the import %+v", dry, out)
		}
		if out.Rows != 18 || out.Readers != 3 || out.Added != 4 || out.Known != 1 || out.Refused != 13 {
			t.Errorf("%+v", out)
		}
		var notes strings.Builder
		for _, n := range out.Notes {
			fmt.Fprintf(&notes, "%d %t %.60s\n", n.Row, n.Refused, n.Why)
		}
		for _, want := range []string{
			"3 true the row has no address", "4 true invalid address", "5 true the reader unsubscribed from the list", "6 true the address is suppressed (bounce)", "7 true this is the address of a program",
			"8 true the other provider no longer mails", "9 true the reader unsubscribed at the other provider", "10 true the other provider no longer mails", "11 true the reader never confirmed", `12 true the row is for the list "nowhere"`,
			"13 false this is the address of an office", "14 false the address looks misspelled", "17 true column 1 is longer",
			"18 true invalid address", "19 true holds several addresses",
		} {
			if !strings.Contains(notes.String(), want) {
				t.Errorf("no note %q in\n%s", want, notes.String())
			}
		}
		if f.states("left@example.org") != "weekly=unsubscribed" || f.states("pending@example.org") != "weekly=confirmed" || f.states("info@example.org") != "monthly=confirmed" {
			t.Errorf("states %q %q %q", f.states("left@example.org"), f.states("pending@example.org"), f.states("info@example.org"))
		}
		if before == f.dump() {
			t.Error("nothing was imported")
		}
	})
}

// TestImportReadsProfilesInChinese checks that 地区 says where a reader is, and does not
// limit what they get.
func TestImportReadsProfilesInChinese(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		out := f.take("邮箱,姓名,地区,主体类型,行业,规模,资质,订阅地区\n" +
			"zhang@example.org,张,四川,企业,制造业,小型,高新技术企业、无此资质,\n" +
			"li@example.org,李,某某地,,,,,四川\n")
		if out.Readers != 2 || out.Refused != 0 || out.Narrowed != 1 || !slices.Equal(out.Unread, []string{"姓名"}) {
			t.Errorf("%+v", out)
		}
		var remarks []string
		for _, n := range out.Notes {
			remarks = append(remarks, n.Why)
		}
		if want := []string{`"无此资质" in the column "资质" is not understood and was left out`, `"某某地" in the column "地区" is not understood and was left out`}; !slices.Equal(remarks, want) {
			t.Errorf("remarks %q", remarks)
		}
		for address, want := range map[string]match.Profile{
			"zhang@example.org": {Entities: []string{"enterprise"}, Regions: []string{"51"}, Industries: []string{"C"}, Size: "small", Qualifications: []string{"high-tech"}},
			"li@example.org":    {},
		} {
			x, err := f.SubscriberByAddress(t.Context(), address)
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.Preferences(t.Context(), x.ID)
			if diff := cmp.Diff(want, got.Profile); err != nil || diff != "" {
				t.Errorf("%s: %v\n%s", address, err, diff)
			}
			readers, err := f.Readers(t.Context(), []int64{x.ID})
			if narrowed := len(readers[x.ID].Choices[f.weekly.ID].Regions); err != nil || narrowed > 0 != (address == "li@example.org") {
				t.Errorf("%s is limited to %d regions (%v)", address, narrowed, err)
			}
		}
	})
}

func TestImportWantsConsentAndAddresses(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		for file, want := range map[string]string{"email\na@example.org\n": "--consent", "": "empty", "name,age\nZ,7\n": "no column", "PK\x03\x04\x00\x00": "not a text file", "<table><tr><td>email</td></tr></table>": "HTML"} {
			consent := "form 7"
			if want == "--consent" {
				consent = ""
			}
			_, err := f.Import(t.Context(), Import{Open: opener(file), Lists: []List{f.weekly}, Consent: consent, Apply: true})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: got %v, want a word on %s", file, err, want)
			}
		}
	})
}

// Readers get the language of their list if the file does not say another; an import says that it
// leaves the choices of existing readers alone.
func TestImportLanguageAndChoices(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		english := f.create(List{Slug: "english", Language: "en"})
		f.reader("old@example.org", f.weekly)
		file := "email,list,language,frequency\na@example.org,english,,weekly\nb@example.org,english,zh,\nold@example.org,weekly,en,\nold@example.org,english,,\na@example.org,english,,weekly\n"
		for range 2 {
			out := f.take(file)
			if len(out.Notes) != 1 || out.Notes[0].Row != 4 || out.Notes[0].Refused || !strings.Contains(out.Notes[0].Why, "an import does not change") {
				t.Errorf("remarks %+v", out.Notes)
			}
		}
		if out := f.take("email,list,frequency\na@example.org,english,monthly\n"); out.Known != 1 || len(out.Notes) != 1 {
			t.Errorf("another frequency: %+v", out)
		}
		if _, err := f.AddConfirmed(t.Context(), "c@example.org", "", []List{english, f.weekly}, "form 7"); err != nil {
			t.Fatal(err)
		}
		for address, want := range map[string]string{"a@example.org": "en", "b@example.org": "zh", "c@example.org": "en", "old@example.org": "zh"} {
			if x, err := f.SubscriberByAddress(t.Context(), address); err != nil || x.Language != want {
				t.Errorf("%s gets %q, %v; want %q", address, x.Language, err, want)
			}
		}
	})
}

// Data that is exported, imported into an empty database and exported again is the same,
// whatever it contains.
func TestExportImportExportIsTheSame(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		ctx := t.Context()
		f.reader("+plus@example.org", f.weekly, f.monthly)
		f.reader("=a+b@example.org", f.weekly)
		f.reader("'quoted@example.org", f.inner)
		f.reader("读者@例子.中国", f.weekly)
		id, err := f.AddConfirmed(ctx, "odd@example.org", "en", []List{f.weekly}, "=cmd|' /C calc'!A0, \"said so\"")
		if err != nil {
			t.Fatal(err)
		}
		if err := f.SetPreferences(ctx, id, Preferences{Language: "en", Format: Text, Lists: map[int64]Choice{
			f.weekly.ID: {Themes: []string{"民政、扶贫、救灾", "财政、金融、审计"}, Regions: []string{"110000"}, Frequency: Weekly}, f.monthly.ID: {},
		}, Profile: match.Profile{Entities: []string{"enterprise", "institute"}, Regions: []string{"5101"}, Size: "small", Topics: []string{"科技、教育"}}}, testNetwork); err != nil {
			t.Fatal(err)
		}
		f.ask("pending@example.org", f.weekly)
		left := f.reader("left@example.org", f.weekly)
		if _, err := f.Unsubscribe(ctx, left, 0, "one-click", testNetwork); err != nil {
			t.Fatal(err)
		}
		confirmed := f.ask("Confirmed@Example.org", f.monthly)
		f.confirm(confirmed.Token, f.monthly)
		first := f.export()
		for line := range strings.Lines(first) {
			if strings.IndexByte(formulaStarts, line[0]) >= 0 {
				t.Errorf("a spreadsheet runs %q", line)
			}
		}
		wipe(t, db)
		g := newFixture(t, db)
		out, err := g.Import(ctx, Import{Open: opener(first), Lists: []List{g.weekly}, Consent: "moved here", Apply: true})
		if err != nil || out.Refused != 0 {
			t.Fatalf("%+v, %v", out, err)
		}
		if second := g.export(); second != first {
			t.Errorf("first:\n%ssecond:\n%s", first, second)
		}
		if _, err := g.AddConfirmed(ctx, "left@example.org", "zh", []List{g.weekly}, "x"); err == nil {
			t.Error("a reader who had unsubscribed elsewhere was subscribed again")
		}
	})
}

// Readers who are suppressed are exported as such, and another installation does not mail them.
func TestSuppressedReadersAreExportedAsSuch(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		f := newFixture(t, db)
		f.reader("fine@example.org", f.weekly)
		f.reader("gone@example.org", f.weekly)
		left := f.reader("left@example.org", f.weekly)
		if _, err := f.Unsubscribe(t.Context(), left, 0, "one-click", testNetwork); err != nil {
			t.Fatal(err)
		}
		for _, address := range []string{"gone@example.org", "left@example.org"} {
			if err := f.Suppress(t.Context(), address, "550 5.1.1 no such user", ""); err != nil {
				t.Fatal(err)
			}
		}
		exported := f.export()
		if strings.Count(exported, ",550 5.1.1 no such user\n") != 2 {
			t.Fatalf("exported:\n%s", exported)
		}
		wipe(t, db)
		g := newFixture(t, db)
		out, err := g.Import(t.Context(), Import{Open: opener(exported), Consent: "moved here", Apply: true})
		if err != nil || out.Added != 2 || out.Refused != 1 || out.Notes[0].Address != "gone@example.org" {
			t.Errorf("%+v, %v", out, err)
		}
	})
}

func FuzzImportReader(f *testing.F) {
	f.Add([]byte("email,name\na@b.test,x\n"))
	f.Add([]byte("sep=;\n\"a\n\";邮箱\n"))
	f.Add([]byte("\xff\xfea\x00"))
	f.Add([]byte("a@b\n\"\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		in, err := newImportReader(bytes.NewReader(file), ColumnChoice{})
		if err != nil {
			return
		}
		for n := 0; ; n++ {
			r, err := in.next()
			if err != nil {
				break
			}
			if n > len(file) || len(r.address) > maxImportField {
				t.Fatalf("row %d of %d bytes with an address of %d", n, len(file), len(r.address))
			}
		}
	})
}

func TestGuardIsUndone(t *testing.T) {
	for _, field := range []string{"", "a", "=1", "'=1", "''=1", "'a", "'", "''", "+x@example.org", "-", "\t", "@x"} {
		if got := unguard(Guard(field)); got != field {
			t.Errorf("%q became %q", field, got)
		}
	}
}

// TestImportIsWrittenInSlices stores many readers while one unsubscribes; neither a broken
// row at the end nor an interruption leaves anything that the next run does not correct.
func TestImportIsWrittenInSlices(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		const rows = 3000
		f := newFixture(t, db)
		var file strings.Builder
		file.WriteString("email,name\n")
		for i := range rows {
			fmt.Fprintf(&file, "reader%d@example.org,x\n", i)
		}
		in := Import{Open: opener(file.String() + "\"broken@example.org,\n"), Lists: []List{f.weekly}, Consent: "form 7", Apply: true}
		before := f.dump()
		if out, err := f.Import(t.Context(), in); err == nil || f.dump() != before {
			t.Fatalf("a file whose last row is broken: %+v, %v", out, err)
		}
		ctx, stop := context.WithCancel(t.Context())
		in.Open = opener(file.String())
		in.Progress = func(n int) {
			if n > rows/2 {
				stop()
			}
		}
		var partial *PartialImportError
		if _, err := f.Import(ctx, in); !errors.As(err, &partial) || !errors.Is(err, context.Canceled) || partial.Rows == 0 || partial.Rows >= rows {
			t.Fatalf("interrupted: %v", err)
		}
		in.Progress = nil
		_, times := db.WriteTimes()
		slices := times.Hold.Count
		out, err := f.Import(t.Context(), in)
		if err != nil || out.Rows != rows || out.Known != partial.Rows || out.Readers != rows-partial.Rows {
			t.Fatalf("the next run: %+v, %v after %d rows", out, err, partial.Rows)
		}
		if _, times = db.WriteTimes(); times.Hold.Count-slices < rows/importBatch {
			t.Errorf("%d rows were stored in %d transactions", rows, times.Hold.Count-slices)
		}
	})
}
