package when

import (
	"strings"
	"testing"
	"time"
)

// at is the fetching time in the tests: a Sunday.
var at = Clock{Now: time.Date(2026, 11, 29, 10, 0, 0, 0, china)}

// text returns the value that tests compare: a date, or the stated parts of it.
func text(w When) string {
	switch {
	case !w.At.IsZero():
		return w.At.In(china).Format("2006-01-02T15:04:05")
	case !w.On.IsZero():
		return w.On.String()
	case !w.Swapped.IsZero():
		return "?"
	}
	var b strings.Builder
	for _, n := range []struct {
		v    int
		unit string
	}{{w.Year, "y"}, {w.Month, "m"}, {w.Day, "d"}} {
		if n.v > 0 {
			b.WriteString(strings.TrimSpace(strings.Repeat(" ", 0)) + itoa(n.v) + n.unit)
		}
	}
	return b.String()
}

func itoa(n int) string {
	if n >= 10 {
		return itoa(n/10) + string(rune('0'+n%10))
	}
	return string(rune('0' + n))
}

func texts(all []When) string {
	var out []string
	for _, w := range all {
		if w.Weak && w.IsPartial() && w.Month == 0 && w.Year == 0 {
			continue // a bare number
		}
		s := text(w)
		if w.Role != RoleUnknown {
			s += " " + string(w.Role)
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"2026-11-27", "2026-11-27"},
		{"[2026/11/27]", "2026-11-27"},
		{"（2026.1.7）", "2026-01-07"},
		{"２０２６年１１月２７日", "2026-11-27"},
		{"2026 年 11 月 27 日", "2026-11-27"},
		{"二〇二六年十一月二十七日", "2026-11-27"},
		{"二○二六年十月三十日", "2026-10-30"},
		{"26-11-27", "2026-11-27"},
		{"26年11月27日", "2026-11-27"},
		{"20261127", "2026-11-27"},
		{"11-27", "11m27d"},
		{"[11/27]", "11m27d"},
		{"11月27日", "11m27d"},
		{"27日", "27d"},
		{"2026年11月", "2026y11m"},
		{"27 2026-11", "2026-11-27"},
		{"27 / 2026.11", "2026-11-27"},
		{"2026-11 27", "2026-11-27"},
		{"27 / 11月", "11m27d"},
		{"27日 2026年11月", "2026-11-27"},
		{"11-27 2026", "2026-11-27"},
		{"2026 11/27", "2026-11-27"},
		{"27 Nov 2026", "2026-11-27"},
		{"November 27, 2026", "2026-11-27"},
		{"Nov. 27, 2026", "2026-11-27"},
		{"27th November 2026", "2026-11-27"},
		{"Nov 27", "11m27d"},
		{"27. Dezember 2026", "2026-12-27"},
		{"Freitag, 6. März 2026", "2026-03-06"},
		{"1er août 2026", "2026-08-01"},
		{"Publié le 27 février 2026", "2026-02-27"},
		{"27 de noviembre de 2026", "2026-11-27"},
		{"27 октября 2026 года", "2026-10-27"},
		{"27 kwietnia", "4m27d"},
		{"27 Kasım 2026", "2026-11-27"},
		{"27-Nov-2026", "2026-11-27"},
		{"2026-Nov-27", "2026-11-27"},
		{"2026년 11월 27일", "2026-11-27"},
		{"2026. 11. 27.", "2026-11-27"},
		{"令和8年11月27日", "2026-11-27"},
		{"平成30年3月1日", "2018-03-01"},
		{"Mars 2026", "2026y"},
		{"31 juin 2026", "2026y"},
		{"27.11.2026", "2026-11-27"},
		{"05.01.2024", "2024-01-05"},
		{"11/27/2026", "2026-11-27"},
		{"27/11/2026", "2026-11-27"},
		{"05/01/2024", "?"},
		{"昨天", "2026-11-28"},
		{"昨天 18:30", "2026-11-28T18:30:00"},
		{"3天前", "2026-11-26"},
		{"2小时前", "2026-11-29"},
		{"11小时前", "2026-11-28"},
		{"刚刚", "2026-11-29"},
		{"三天前", "2026-11-26"},
		{"2 days ago", "2026-11-27"},
		{"3个月前", ""},
		{"2026-11-27 17:32", "2026-11-27T17:32:00"},
		{"2026年11月27日 下午3时20分", "2026-11-27T15:20:00"},
		{"2026-11-27 星期五 08:30", "2026-11-27T08:30:00"},
		{"2026年11月27日（星期五）", "2026-11-27"},
		{"2018-12-06-09:30:00", "2018-12-06T09:30:00"},
		{"2026-11-27T09:30:00+08:00", "2026-11-27T09:30:00"},
		// Numbers that are not dates.
		{"索引号 2026-02-00018", ""},
		{"006939748/2026-00100", ""},
		{"0233621J/2026-00150", ""},
		{"2026-02-01234 某政发〔2026〕40号 2026-11-27", "2026-11-27"},
		{"t20261127_900100", ""},
		{"2026112717462526593", ""},
		{"12026-11-27", ""},
		{"2026-11-270", ""},
		{"2026-13-40", ""},
		{"电话 010-12345678", ""},
		{"1-2年 3-5个", ""},
		{"今天是2026年11月29日", "2026-11-29 today"},
		{"Just now", "2026-11-29"},
		{"昨天下午开会", ""},
		// The words next to a date give its role.
		{"成文日期 ：2026-09-11", "2026-09-11 written"},
		{"发布日期：2026-11-27", "2026-11-27 published"},
		{"成文日期：2026-09-11 发布日期：2026-11-27", "2026-09-11 written; 2026-11-27 published"},
		{"发布时间2026-11-27 有效期至2027-11-27", "2026-11-27 published; 2027-11-27 expires"},
		{"征集时间：2026-11-01 至 2026-12-01", "2026-11-01 period; 2026-12-01 deadline"},
		{"2026.11.01-2026.12.01", "2026-11-01 period; 2026-12-01 deadline"},
		{"截止日期：2026-12-01", "2026-12-01 deadline"},
		{"（2026年11月27日某市人民政府第330号令公布　自2027年1月1日起施行）", "2026-11-27 published; 2027-01-01 effective"},
		{"2026年8月15日前报送", "2026-08-15 deadline"},
		{"[点击下载附件]\x1f2026-11-27", "2026-11-27"},
		{"Posted on November 27, 2026", "2026-11-27"},
		{"第3 mai 版，共5 mars公司", ""},
	} {
		if got := texts(Find(c.in, at)); got != c.want {
			t.Errorf("Find(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestPublished(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"成文日期：2026-09-11 发布日期：2026-11-27", "2026-11-27"},
		{"成文日期：2026-09-11", ""},
		{"更新时间：2026-11-28 2026-11-27", "2026-11-27"},
		{"2026-09-11 2026-11-27", "2026-11-27"},
		{"2026-11-27 2027-11-27", "2026-11-27"},
		{"（2026年11月27日某市人民政府第330号令公布　自2027年1月1日起施行）", "2026-11-27"},
		{"征集时间：2026-11-01至2026-12-01", ""},
		{"索引号：2026-02-18", ""},
		{"会议于2028年11月20日在某市召开，研究了近期的重点工作。\x1f2026-11-27", "2026-11-27"},
		{"2020年1月1日发布的办法同时废止，本办法有关问题另行通知\x1f11-27", ""},
		{"\x1f2026年11月27日\x1f为提升通过率，各学院开展辅导", "2026-11-27"},
		{"\x1f2026-11-27\x1f前三季度，全市经济运行平稳", "2026-11-27"},
		{"请于\x1f2026年11月27日\x1f前将有关材料报送某处", ""},
		{"\x1f2026年11月27日\x1f批准\x1f", ""},
	} {
		w, _ := Published(Find(c.in, at), at)
		if got := w.On.String(); got != c.want {
			t.Errorf("Published(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	unknown := Clock{}
	for _, c := range []struct{ in, want string }{
		{"1704418200", "2024-01-05T09:30:00"},
		{"1704418200000", "2024-01-05T09:30:00"},
		{"20240105093000", "2024-01-05T09:30:00"},
		{"Wed May 10 2017 00:00:00 GMT+0000 (Coordinated Universal Time)", "2017-05-10T08:00:00"},
		{"Tue, Jan 23 2018 02:54:55 MST", "2018-01-23T17:54:55"},
		{"Fri Jan 05 09:30:00 CST 2024", "2024-01-05T09:30:00"},
		{"五, 05 1月 2024 09:30:00 +0800", "2024-01-05T09:30:00"},
		{"Sun, 15 Dec 2024 12:15 PM", "2024-12-15T12:15:00"},
		{"Jan 5, 2024 9:30:00 AM", "2024-01-05T09:30:00"},
		{"21 Jun 11 08:00 +0800", "2011-06-21T08:00:00"},
		{"05/01/2024", ""}, {"昨天 18:30", ""}, {"Invalid Date", ""}, {"0001-01-01T00:00:00Z", ""},
		{"1970-01-01 08:00:00", ""}, {"0", ""}, {"2024-01-05 to 2024-02-01", ""}, {"about 2024-01-05", ""},
	} {
		w, ok := Read(c.in, unknown)
		got := ""
		if ok {
			got = text(w)
		}
		if got != c.want {
			t.Errorf("Read(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// A year that nothing states comes from the rows around the date, and is never in the
// future.
func TestSeries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		in, want []string
	}{
		{"a list of this year", []string{"11-27", "11-25", "01-03"}, []string{"2026-11-27", "2026-11-25", "2026-01-03"}},
		{"never in the future", []string{"12-01", "11-30"}, []string{"2025-12-01", "2025-11-30"}},
		{"over the turn of the year", []string{"11-20", "06-15", "01-10", "12-05", "10-01"}, []string{"2026-11-20", "2026-06-15", "2026-01-10", "2025-12-05", "2025-10-01"}},
		{"several years", []string{"03-05", "01-05", "12-28", "03-20", "01-18", "01-20", "12-12", "11-30", "10-08", "09-01"},
			[]string{"2026-03-05", "2026-01-05", "2025-12-28", "2025-03-20", "2025-01-18", "2025-01-20", "2024-12-12", "2024-11-30", "2024-10-08", "2024-09-01"}},
		{"pinned rows first", []string{"03-01", "02-15", "01-10", "11-27", "11-25", "11-20", "10-08"},
			[]string{"2026-03-01", "2026-02-15", "2026-01-10", "2026-11-27", "2026-11-25", "2026-11-20", "2026-10-08"}},
		{"another order", []string{"11-20", "06-15", "01-10", "10-01", "02-01", "11-05"},
			[]string{"2026-11-20", "2026-06-15", "2026-01-10", "2026-10-01", "2026-02-01", "2026-11-05"}},
		{"a pinned row first", []string{"03-01", "11-25", "11-24"}, []string{"2026-03-01", "2026-11-25", "2026-11-24"}},
		{"day first for all", []string{"05/01/2026", "27/11/2025"}, []string{"2026-01-05", "2025-11-27"}},
		{"month first for all", []string{"11/12/2026", "10/27/2026"}, []string{"2026-11-12", "2026-10-27"}},
		{"nothing says which", []string{"05/01/2024", "04/01/2024"}, []string{"", ""}},
	} {
		all := make([]When, len(c.in))
		for i, s := range c.in {
			all[i] = Find(s, at)[0]
		}
		for i, w := range all {
			all[i] = w.Complete(Context{}, at)
		}
		Series(all, at)
		for i := range all {
			if got := all[i].On.String(); got != c.want[i] {
				t.Errorf("%s: %q is %q, want %q", c.name, c.in[i], got, c.want[i])
			}
		}
	}
}

// The address of an article states the year that its row leaves out.
func TestInYearOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, address, want string }{
		{"11-27", "/art/202011/t20201127_65399695.html", "2020-11-27"},
		{"01-02", "/art/202011/t20201230_1.html", "2021-01-02"},
		{"12-30", "/2021/1/4/5f.html", "2020-12-30"},
		{"11-03", "202010/1100.html", "2020-11-03"},
		{"11-27", "20201127/1100.html", "2020-11-27"},
		{"11-27", "/art/201807/t20180723_504.html", ""},
		{"12-01", "/art/202612/t20261201_1.html", ""},
		{"11-27", "/art/1100.html", ""},
		{"2019-11-27", "/art/202011/t20201127_1.html", "2019-11-27"},
	} {
		if got := Find(c.in, at)[0].InYearOf(c.address, at).On.String(); got != c.want {
			t.Errorf("%s of %s is %q, want %q", c.in, c.address, got, c.want)
		}
	}
}

// A heading states what the rows below it leave out.
func TestComplete(t *testing.T) {
	t.Parallel()
	heading := Context{}.With(Find("2026年10月", at)[0])
	if got := Find("30日", at)[0].Complete(heading, at).On.String(); got != "2026-10-30" {
		t.Errorf("30日 under 2026年10月 is %q", got)
	}
	year := Context{}.With(Find("2025年", at)[0])
	if got := Find("11-27", at)[0].Complete(year, at).On.String(); got != "2025-11-27" {
		t.Errorf("11-27 under 2025年 is %q", got)
	}
	if got := Find("11-27", Clock{})[0].Complete(Context{}, Clock{}); !got.On.IsZero() {
		t.Errorf("11-27 is %v without a time of fetching", got.On)
	}
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"2026-11-27", "Nov 27 2026 09:30:00 GMT+0800 (x)", "二〇二六年十一月二十七日", "3天前", "1/2/3/4/5/6/7/8/9", "下午3时", "11月27日 12:", "9:9:9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, w := range Find(s, at) {
			if w.start < 0 || w.end <= w.start || !w.On.IsZero() && MakeDate(w.On.Year, int(w.On.Month), w.On.Day).IsZero() {
				t.Errorf("%q: %+v", s, w)
			}
		}
		if w, ok := Read(s, at); ok && w.On.IsZero() {
			t.Errorf("Read(%q) is not a date: %+v", s, w)
		}
	})
}

// TestSeriesOfShortYears reads dates with a two-digit year as the rows around them require.
func TestSeriesOfShortYears(t *testing.T) {
	c := Clock{Now: time.Date(2026, 11, 29, 4, 0, 0, 0, time.UTC)}
	for _, x := range []struct{ rows, want string }{
		{"05/01/13 04/25/13 04/12/13", "2013-05-01 2013-04-25 2013-04-12"},
		{"05.19.15 05.18.15 03.26.15", "2015-05-19 2015-05-18 2015-03-26"},
		{"26/11/27 26/11/20 26/10/03", "2026-11-27 2026-11-20 2026-10-03"},
		{"27/11/26 20/11/26 03/10/26", "2026-11-27 2026-11-20 2026-10-03"},
		{"20-09-22 20-09-09 19-12-31", "2020-09-22 2020-09-09 2019-12-31"},
		{"12/11/10", "2012-11-10"},
		{"115.03.19 115.03.18 114.12.31", "2026-03-19 2026-03-18 2025-12-31"},
		{"115年3月19日", "2026-03-19"},
	} {
		var all []When
		for row := range strings.FieldsSeq(x.rows) {
			w, _ := Published(Find(row, c), c)
			all = append(all, w)
		}
		Series(all, c)
		var got []string
		for _, w := range all {
			got = append(got, w.On.String())
		}
		if strings.Join(got, " ") != x.want {
			t.Errorf("%s: %s; want %s", x.rows, got, x.want)
		}
	}
}
