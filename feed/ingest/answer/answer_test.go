package answer

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// page is a page with its classification, labeled before the rules were run on it.
// Structures and words are those that public crawlers and bug reports describe; the markup
// is ours.
type page struct {
	name, body string
	status     int
	kind       Kind
	cause      Cause
	to         string // for Redirect, or the first endpoint or frame
}

var rows = strings.Repeat(`<li><a href="/zcwj/202611/t20261120_1.html">关于印发某省数字经济促进行动方案的通知</a><span>2026-11-20</span></li>`, 25)

// unseen are pages for which the rules were not written.
var unseen = []page{
	{"Tencent T-Sec", `<html><head><title>Client Bad Request</title></head><body><div class="box"><h1>很抱歉，您提交的请求可能对网站造成威胁，请求已被管理员设置的策略阻断</h1><p class="text1">本页面为<span>腾讯T-Sec Web应用防火墙(WAF)</span>默认提示页面，如有疑问请联系网站管理员并提供您的UUID</p><p>b2f1-77</p></div></body></html>`, 403, Wall, Refused, ""},
	{"SafeDog", `<html><head><title>网站防火墙</title></head><body><div><p class="t1">您的请求带有不合法参数，已被网站管理员设置拦截！</p><ul><li>可能原因：您提交的内容包含危险的攻击请求</li><li>如何解决：检查提交内容；如网站托管，请联系空间提供商；普通网站访客，请联系网站管理员</li></ul></div></body></html>`, 200, Wall, Refused, ""},
	{"Huawei Cloud", `<!DOCTYPE html><html style="height:100%"><head><title>访问被拦截！</title></head><body><img src="data:image/png;base64,AAAA"><p>您的请求疑似攻击行为！</p><p>事件ID：01-1128-0a</p><p>如果您是网站管理员，可以前往控制台查看防护事件。</p></body></html>`, 418, Wall, Refused, ""},
	{"Wangsu", `<html><head><meta charset="utf-8"><title>提示</title></head><body><div class="tip">您当前的访问行为存在异常，请稍后重试。</div><div>Request ID: 77ab</div></body></html>`, 200, Wall, Refused, ""},
	{"Chuangyu in entities", `<html><head><title>403</title></head><body><h2>&#24403;&#21069;&#35775;&#38382;&#30097;&#20284;&#40657;&#23458;&#25915;&#20987;&#65292;&#24050;&#34987;&#21019;&#23431;&#30462;&#25318;&#25130;</h2><a href="https://help.example.com/error?code=403">&#24110;&#21161;</a></body></html>`, 403, Wall, Refused, ""},
	{"Xuanwu", `<html><body><center><h3>您的访问可能对网站造成危险，已被云防护安全拦截</h3></center></body></html>`, 200, Wall, Refused, ""},
	{"Baidu", `<html><head><title>出错了</title></head><body><h1>403<small>当前访问可能造成安全威胁，您的访问被阻断。 攻击类型:【应用程序漏洞攻击】</small></h1><p>如果您是网站管理员，点击查看<a href="https://su.example.com/">如何修复</a></p></body></html>`, 403, Wall, Refused, ""},
	{"CC guard", `<html><head><title>提示信息</title></head><body><div class="wrapper"><h1>某框架</h1><p>系统已拦截本次请求</p><p>可能的原因是触发了CC防御</p><p>请在:<b>【30】</b>秒后访问</p><p>您的IP:<b>【203.0.113.5】</b>已被记录</p></div></body></html>`, 200, Wall, Refused, ""},
	{"nginx lua", `<html><head><meta http-equiv="Content-Language" content="zh-cn"><title>网站防火墙</title></head><body><h1 align="center"> 网站waf防火墙已拦截 </h1></body></html>`, 403, Wall, Refused, ""},
	{"wzws script", `<!DOCTYPE html><html><head><meta charset="utf-8"></head><body><noscript><h1><strong>请开启JavaScript并刷新该页.</strong></h1></noscript><script type="text/javascript">eval(function(p,a,c,k,e,d){return p}('0 1',2,2,'a|b'.split('|'),0,{}))</script></body></html>`, 200, Wall, Script, ""},
	{"jsl first", `<script>document.cookie=('_')+('_')+('j')+('s')+('l')+('_')+('c')+('l')+(~~[]+'')+';path=/';location.href=location.pathname+location.search</script>`, 521, Wall, Script, ""},
	{"jsl second", `<script>var _0x1=['a'];(function(a){})(_0x1);function hash(s){};function go(d){};go({"bts":["1714542141.604|0|y1V","2BUX%3D"],"chars":"yKjB","ct":"b739","ha":"sha1","tn":"__jsl_clearance_s","vt":"3600","wt":"1500"})</script>`, 521, Wall, Script, ""},
	{"AWS", `<!DOCTYPE html><html><head><title></title><script>window.awsWafCookieDomainList = [];window.gokuProps = {"key":"AQ"};</script><script src="https://1.token.awswaf.com/1/challenge.js"></script></head><body><div id="challenge-container"></div><noscript><h1>JavaScript is disabled</h1>In order to continue, we need to verify that you're not a robot. This requires JavaScript.</noscript></body></html>`, 202, Wall, Script, ""},
	{"Aliyun picture", `<!doctype html><html><head><title>405</title></head><body><div class="main"><img src="//g.example.com/image/405.png"><div>很抱歉，由于您访问的URL有可能对网站造成安全威胁，您的访问被阻断。</div><div>您的请求ID是：<strong>7b39</strong></div></div></body></html>`, 405, Wall, Refused, ""},
	{"slider", `<html><head><title>向右滑动完成拼图</title></head><body><div id="waf_slider"></div><p>请完成安全验证后继续访问</p><script src="/waf_slider_verify.js"></script></body></html>`, 200, Wall, Puzzle, ""},
	{"SafeLine", `<!DOCTYPE html><html lang="zh"><head><title>安全检测能力由 雷池 提供</title><script type="module" src="/.safeline/challenge/v2/a.js"></script></head><body><div class="sl-loader">正在检查您的浏览器环境，请稍候…</div></body></html>`, 468, Wall, Script, ""},
	{"English script", `<html><head><title></title></head><body><noscript>Please enable JavaScript and refresh the page.</noscript><script>var a="x";eval(a)</script></body></html>`, 200, Wall, Script, ""},
	{"Cloudflare block", `<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head><body><div id="cf-error-details"><h1>Sorry, you have been blocked</h1><h2>You are unable to access example.org</h2><p>This website is using a security service to protect itself from online attacks. The action you just performed triggered the security solution.</p></div></body></html>`, 403, Wall, Refused, ""},
	{"Cloudflare challenge", `<!DOCTYPE html><html><head><title>请稍候…</title><meta http-equiv="refresh" content="390"></head><body><div class="main-wrapper"><noscript>Enable JavaScript and cookies to continue</noscript></div><script>(function(){window._cf_chl_opt={cvId:'3'};var a=document.createElement('script');a.src='/cdn-cgi/challenge-platform/h/b/orchestrate.js';})();</script></body></html>`, 403, Wall, Script, ""},
	{"DDoS-Guard", `<html><head><title>DDoS-Guard</title><script src="/.well-known/ddos-guard/check?context=free_splash"></script></head><body><h1>Checking your browser before accessing</h1><p>Please allow up to 5 seconds…</p></body></html>`, 403, Wall, Script, ""},
	{"session", `<html><head><title>提示</title></head><body><p>身份失效了，请重新登录网站</p><a href="/login">登录</a></body></html>`, 200, Wall, Login, ""},
	{"sso", `<html><head><title>某市统一身份认证平台</title></head><body><form action="/cas/login"><input name="username"><input type="password" name="pw"><button>登录</button></form><p>忘记密码</p></body></html>`, 200, Wall, Login, ""},
	{"picture code", `<html><head><title>访问验证</title></head><body><form><img src="/ImageCaptcha"><input name="code" placeholder="验证码"><button>提交</button></form><p>您的访问过于频繁，请输入图片中的验证码继续访问</p></body></html>`, 200, Wall, Puzzle, ""},

	{"Vue CLI", `<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>政策库</title><link href=/css/app.1.css rel=preload as=style></head><body><noscript><strong>We're sorry but policy doesn't work properly without JavaScript enabled. Please enable it to continue.</strong></noscript><div id=app></div><script src=/js/chunk-vendors.1.js></script><script src=/js/app.1.js></script></body></html>`, 200, Shell, "", ""},
	{"React", `<!doctype html><html><head><title>React App</title><script defer="defer" src="/static/js/main.1.js"></script></head><body><noscript>You need to enable JavaScript to run this app.</noscript><div id="root"></div></body></html>`, 200, Shell, "", ""},
	{"RuoYi", `<!DOCTYPE html><html><head><title>某市政策直通车</title></head><body><div id="app"><div id="loader-wrapper"><div id="loader"></div><div class="load_title">正在加载系统资源，请耐心等待</div></div></div><script src="/static/js/app.2.js"></script></body></html>`, 200, Shell, "", ""},
	{"Angular", `<!doctype html><html><head><base href="/"><title>Portal</title></head><body><app-root></app-root><script src="main.3.js" type="module"></script></body></html>`, 200, Shell, "", ""},
	{"jQuery and template", `<html><head><title>通知公告</title><script src="/js/jquery.min.js"></script></head><body><div id="list"></div><script>$.ajax({url:"/api/article/list",data:{channel:12,page:1},success:function(r){render(r)}});</script></body></html>`, 200, Shell, "", "http://www.site.test/api/article/list"},
	{"Ant Design Pro", `<!DOCTYPE html><html><head><title>政策服务</title></head><body><div id="root"><div class="loading">正在加载资源</div><div class="sub">初次加载资源可能需要较多时间 请耐心等待</div></div><script>window.routerBase="/";</script><script src="/umi.4.js"></script></body></html>`, 200, Shell, "", ""},

	{"refresh in capitals", `<HTML><HEAD><META HTTP-EQUIV="Refresh" CONTENT="0;URL=/zwgk/index.htm"></HEAD><BODY></BODY></HTML>`, 200, Redirect, "", "http://www.site.test/zwgk/index.htm"},
	{"script at once", `<!DOCTYPE html><html><head><title>某市人民政府</title><script type="text/javascript">window.location.href="./zcwj/index.html";</script></head><body></body></html>`, 200, Redirect, "", "http://www.site.test/list/zcwj/index.html"},
	{"script later", `<html><body><p>页面正在跳转，请稍候</p><script>setTimeout("javascript:location.href='/main/'", 3000);</script></body></html>`, 200, Redirect, "", "http://www.site.test/main/"},
	{"variable", `<html><script>var strUrl = "/col/col12/index.html"; top.location = strUrl;</script></html>`, 200, Redirect, "", "http://www.site.test/col/col12/index.html"},
	{"onload", `<html><head><title>index</title></head><body onload="window.location.replace('/new/list.shtml')"></body></html>`, 200, Redirect, "", "http://www.site.test/new/list.shtml"},
	{"escaped", `<script>document.location.assign("\/xxgk\/list\/");</script>`, 200, Redirect, "", "http://www.site.test/xxgk/list/"},
	{"frameset", `<html><head><title>t</title></head><frameset rows="80,*"><frame src="top.html" name="topFrame"><frame src="main.html" name="mainFrame"></frameset></html>`, 200, Page, "", "http://www.site.test/list/main.html"},

	{"error with a way home", `<html><head><title>出错啦</title><meta http-equiv="refresh" content="3;url=/"></head><body><p>您访问的页面不存在，3秒后自动返回首页</p></body></html>`, 200, ErrorPage, "", ""},
	{"stack trace", `<html><head><title>Error</title></head><body><pre>java.lang.NullPointerException at com.site.web.ListAction.list(ListAction.java:77) at org.apache.struts.Action</pre></body></html>`, 200, ErrorPage, "", ""},
	{"no such site", `<html><head><title>没有找到站点</title></head><body><h1>没有找到站点</h1><p>您的请求在服务器中没有对应的站点！</p><ul><li>您没有将此域名或 IP 绑定到站点</li><li>配置文件未生效</li></ul></body></html>`, 200, ErrorPage, "", ""},
	{"stopped site", `<html><head><title>提示</title></head><body><h1>抱歉！该站点已经被管理员停止运行</h1></body></html>`, 200, ErrorPage, "", ""},
	{"new site", `<html><head><title>恭喜，站点创建成功！</title></head><body><h1>恭喜，站点创建成功！</h1><h3>本页面由系统自动生成</h3><ul><li>您可以修改、删除或覆盖本页面</li></ul></body></html>`, 200, ErrorPage, "", ""},
	{"default page", `<html><head><title>Welcome to nginx!</title></head><body><h1>Welcome to nginx!</h1><p>The web server is installed and works. Further configuration is required.</p></body></html>`, 200, ErrorPage, "", ""},
	{"not registered", `<html><head><title>提示</title></head><body><h3>网站暂时无法访问</h3><p>该网站未根据工信部相关法规进行备案。</p></body></html>`, 200, ErrorPage, "", ""},
	{"for sale", `<html><head><title>sample.example</title></head><body><h1>sample.example</h1><p>该域名正在出售，有意者请联系。</p></body></html>`, 200, ErrorPage, "", ""},
	{"blocked page", `<html><head><title>Web Page Blocked!</title></head><body><h1>Web Page Blocked!</h1><p>Please contact the administrator. Attack ID: 20000051</p></body></html>`, 200, Wall, Refused, ""},
	{"maintenance", `<html><head><title>系统维护中</title></head><body><h1>网站升级中，请稍后访问</h1></body></html>`, 200, ErrorPage, "", ""},
	{"iis", `<html><head><title>404 - 找不到文件或目录。</title></head><body><h1>服务器错误</h1><h2>404 - 找不到文件或目录。</h2><h3>您要查找的资源可能已被删除，已更改名称或者暂时不可用。</h3></body></html>`, 200, ErrorPage, "", ""},
	{"nothing", `<html><head></head><body></body></html>`, 200, Empty, "", ""},

	{"protected list", `<html><head><title>政策文件</title><meta id="a" content="x" r="m"><script>$_ts=window['$_ts'];</script></head><body><ul>` + rows + `</ul></body></html>`, 200, Page, "", ""},
	{"list that mentions a wall", `<html><head><title>通知公告</title></head><body><ul><li><a href="/1.html">关于开展网络安全验证和网站防火墙检查的通知</a>2026-11-02</li>` + rows + `</ul></body></html>`, 200, Page, "", ""},
	{"list with a login box", `<html><head><title>网上办事</title></head><body><form><input type=password></form><ul>` + rows + `</ul></body></html>`, 200, Page, "", ""},
	{"front page that refreshes", `<html><head><title>新闻</title><meta http-equiv="refresh" content="600;url=/index.html"></head><body><ul>` + rows + `</ul></body></html>`, 200, Page, "", ""},
	{"for phones", `<html><head><title>政策</title><script>if(/Android|iPhone/i.test(navigator.userAgent)){location.href="/m/"}</script></head><body><ul>` + rows + `</ul></body></html>`, 200, Page, "", ""},
	{"app drawn by the server", `<html><body><div id="__nuxt"><ul>` + rows + `</ul></div><script src="/_nuxt/1.js"></script></body></html>`, 200, Page, "", ""},
	{"button of a page with little text", `<html><body><p>附件见扫描件</p><img src="/1.jpg"><script>function goBack(){location.href="/index.html";}</script><button onclick="goBack()">返回</button></body></html>`, 200, Shell, "", ""},
	{"function that is called", `<html><script>function go(){location.href="/index.html";} go();</script></html>`, 200, Redirect, "", "http://www.site.test/index.html"},
	{"list of six", `<html><head><title>公示公告</title><script src="/js/jquery.js"></script></head><body><ul>` + rows[:len(rows)/25*6] + `</ul></body></html>`, 200, Page, "", ""},
}

func check(t *testing.T, all []page) (right int) {
	t.Helper()
	for _, p := range all {
		a := Read("http://www.site.test/list/", p.status, p.body)
		a.FindEndpoints()
		to := a.To
		if a.Kind == Page || a.Kind == Shell {
			to = firstOf(append(append(a.Frames, a.Endpoints...), "")...)
		}
		if a.Kind != p.kind || a.Cause != p.cause || to != p.to {
			t.Errorf("%s: %s %s %q (%s), want %s %s %q", p.name, a.Kind, a.Cause, to, a.What, p.kind, p.cause, p.to)
			continue
		}
		right++
		if e := (&Error{Answer: a}); p.kind != Page && (e.Sentence() == "" || e.Advice("3") == "") {
			t.Errorf("%s: no sentence or no advice: %v", p.name, e)
		}
	}
	return right
}

// TestWildPages reads pages for which the rules were not written.
func TestWildPages(t *testing.T) {
	t.Parallel()
	t.Logf("%d of %d", check(t, unseen), len(unseen))
}

// TestCases reads the walls, redirects and frames of the shared cases.
func TestCases(t *testing.T) {
	t.Parallel()
	dir := "../../../../../shared/data/cases"
	walls, _ := filepath.Glob(dir + "/walls/*.html")
	if len(walls) == 0 {
		t.Skip("the shared test data are not beside the checkout")
	}
	inName := regexp.MustCompile(`-wall-(\d+)-`)
	for _, name := range walls {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m := inName.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		status, _ := strconv.Atoi(m[1])
		want := map[string]Cause{"405": Refused}[m[1]]
		if want == "" {
			want = Script
		}
		if strings.Contains(name, "slider") {
			want = Puzzle
		}
		if a := Read("http://www.site.test/list/", status, string(b)); a.Kind != Wall || a.Cause != want {
			t.Errorf("%s: %s %s (%s)", name, a.Kind, a.Cause, a.What)
		}
	}
	for file, want := range map[string]page{
		"/lists/042-iframe-list.html":  {kind: Page, to: "http://www.site.test/zwgk/frame/list.html"},
		"/lists/043-meta-refresh.html": {kind: Redirect, to: "http://www.site.test/list/list.html"},
		"/articles/92-05-soft404.html": {kind: ErrorPage},
	} {
		b, err := os.ReadFile(dir + file)
		if err != nil {
			t.Fatal(err)
		}
		want.name, want.body, want.status = file, string(b), 200
		check(t, []page{want})
	}
}

// TestPagesAreNoWalls reads all lists and articles of the shared data: none may be
// classified as a wall or an error page.
func TestPagesAreNoWalls(t *testing.T) {
	t.Parallel()
	read := 0
	for _, pattern := range []string{"cases/lists/*.html", "cases/labels/*.html", "cases/pagers/*.html", "cases/articles/*.html", "articles/official/*.html", "seed/*.html"} {
		names, _ := filepath.Glob("../../../../../shared/data/" + pattern)
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			read++
			base := filepath.Base(name)
			a := Read("http://www.site.test/list/", 200, string(b))
			if (a.Kind == Wall || a.Kind == ErrorPage || a.Kind == Empty) && base != "92-05-soft404.html" && base != "21.html" { // 21 is in UTF-16
				t.Errorf("%s: %s %q", name, a.Kind, a.What)
			}
		}
	}
	if read == 0 {
		t.Skip("the shared test data are not beside the checkout")
	}
}

func FuzzRead(f *testing.F) {
	for _, p := range unseen {
		f.Add(p.body, p.status)
	}
	f.Fuzz(func(t *testing.T, body string, status int) {
		a := Read("http://www.site.test/list/", status, body)
		a.FindEndpoints()
		for _, address := range append(append(append(a.Frames, a.Endpoints...), a.Scripts...), a.To) {
			if address != "" && !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
				t.Errorf("address %q", address)
			}
		}
	})
}
