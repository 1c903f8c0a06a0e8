package list

import "testing"

// TestUnnumber removes the numbers of rows from their titles, but none that belongs to a
// title even if the titles are numbered.
func TestUnnumber(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ titles, want []string }{
		{[]string{"1. 关于甲的通知", "2. 关于乙的通知", "3. 关于丙的通知"}, []string{"关于甲的通知", "关于乙的通知", "关于丙的通知"}},
		{[]string{"16、关于甲的通知", "17、关于乙的通知", "18、关于丙的通知"}, []string{"关于甲的通知", "关于乙的通知", "关于丙的通知"}},
		{[]string{"01 关于甲的通知", "02 关于乙的通知", "03 关于丙的通知"}, []string{"关于甲的通知", "关于乙的通知", "关于丙的通知"}},
		{[]string{"2021 年度报告", "2022 年度报告", "2023 年度报告"}, nil},
		{[]string{"2021 部门决算", "2022 部门决算", "2023 部门决算"}, nil},
		{[]string{"1 月份经济运行情况", "2 月份经济运行情况", "3 月份经济运行情况"}, nil},
		{[]string{"1.5万亿元专项债券", "2.3万亿元特别国债", "3.1万亿元减税"}, nil},
		{[]string{"7 个部门联合发文", "8 个部门联合发文", "9 个部门联合发文"}, nil},
		{[]string{"12 大工程启动", "13 大行动部署", "14 大举措出台"}, nil},
	} {
		rows := make([]Row, len(c.titles))
		for i, title := range c.titles {
			rows[i].Title = title
		}
		if c.want == nil {
			c.want = c.titles
		}
		unnumber(rows)
		for i, r := range rows {
			if r.Title != c.want[i] {
				t.Errorf("%q is %q, want %q", c.titles[i], r.Title, c.want[i])
			}
		}
	}
}
