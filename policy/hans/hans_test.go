package hans

import (
	"testing"
	"unicode/utf8"
)

func TestSimplify(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"": "", "abc 1": "abc 1", "报名时间": "报名时间", "截止遞交標書日期": "截止递交标书日期",
		"請於十二月一日前將意見書送達本處": "请于十二月一日前将意见书送达本处", "關於徵求意見": "关于征求意见", "\xff報": "\xff報",
	} {
		if got := Simplify(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

// Places stay the same, and what is simplified once stays.
func TestPairs(t *testing.T) {
	t.Parallel()
	for i, to := range simplified {
		if to != 0 && (utf8.RuneLen(to) != 3 || isTraditional(to)) {
			t.Errorf("%c %c", firstHan+i, to)
		}
	}
}
