package main

import "testing"

// The audit log is stored in English; a Chinese user reads its sentences in Chinese, with
// flags as they were given.
func TestAuditTextInChinese(t *testing.T) {
	t.Parallel()
	for stored, want := range map[string]string{
		"3 readers changed":        "3 位读者的状态有变",
		"4 addresses --file a.csv": "4 个地址 --file a.csv",
		"5 rows, 4 readers, 3 subscriptions, 1 refused --apply --consent 'form 7'": "5 行，新读者 4 位，订阅 3 个，拒绝 1 行 --apply --consent 'form 7'",
		"2 added, 1 refused": "添加 2 个，拒绝 1 个",
		"--title 邸报周刊":       "--title 邸报周刊",
		"mailing 12":         "群发 12",
		"weekly":             "weekly",
	} {
		if got := (&globals{chinese: true}).auditText(stored); got != want {
			t.Errorf("%q: %q, want %q", stored, got, want)
		}
		if got := (&globals{}).auditText(stored); got != stored {
			t.Errorf("%q in English: %q", stored, got)
		}
	}
}
