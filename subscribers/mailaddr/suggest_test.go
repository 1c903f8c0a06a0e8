package mailaddr

import "testing"

func TestSuggest(t *testing.T) {
	for typed, want := range map[string]string{
		"a@gmial.com": "a@gmail.com", "a@gmai.com": "a@gmail.com", "a@gmaill.com": "a@gmail.com", "a@gnail.com": "a@gmail.com", "a@gmail.con": "a@gmail.com",
		"a@qq.con": "a@qq.com", "a@qq.cm": "a@qq.com", "a@qqcom": "a@qq.com", "a@163.co": "a@163.com", "a@126.vom": "a@126.com",
		"a@hotmial.com": "a@hotmail.com", "a@outlok.com": "a@outlook.com", "a@foxmial.com": "a@foxmail.com", "a@yeah.met": "a@yeah.net",
		"Tag+x@yahooo.com": "Tag+x@yahoo.com",
		"a@gmail.com":      "", "a@163.com": "", "a@136.com": "", "a@qd.com": "", "a@example.org": "", "a@live.cn": "", "a@mail.gov.cn": "", "a@tmall.com": "",
	} {
		if got := Suggest(typed); got != want {
			t.Errorf("Suggest(%s) = %q, want %q", typed, got, want)
		}
	}
	for _, p := range Providers {
		if got := Suggest("a@" + p); got != "" {
			t.Errorf("%s is a provider and is taken for a slip of %s", p, got)
		}
	}
}

func TestRoleOf(t *testing.T) {
	for address, want := range map[string]Role{
		"info@example.org": RoleOffice, "Info+x@example.org": RoleOffice, "NoReply@example.org": RoleMachine, "postmaster@example.org": RoleMachine,
		"infos@example.org": RolePerson, "reader@example.org": RolePerson,
	} {
		if got := RoleOf(address); got != want {
			t.Errorf("RoleOf(%s) = %q, want %q", address, got, want)
		}
	}
}
