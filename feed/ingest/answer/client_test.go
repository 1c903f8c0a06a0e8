package answer

import "testing"

// codes are pages that ask for the characters of a picture, that are shown only in an app,
// and refusals of interfaces in JSON.
var codes = []page{
	{"characters beside", `<html><body><form><p>请输入右侧字符</p><input name="c"><img src="/c.jpg"></form></body></html>`, 200, Wall, Puzzle, ""},
	{"digits in a picture", `<html><body><div>请输入图片中的数字</div><img src="/v"><input><button>确定</button></body></html>`, 200, Wall, Puzzle, ""},
	{"English characters", `<html><body><p>Enter the characters shown in the picture</p><img src="/c"><input type="text"></body></html>`, 200, Wall, Puzzle, ""},
	{"only in WeChat", `<html><body><h4>请在微信客户端打开链接</h4></body></html>`, 200, Wall, Client, ""},
	{"only in an app", `<html><body><p>请在“样例办”APP中打开</p><img src="/q"></body></html>`, 200, Wall, Client, ""},
	{"only on a phone", `<html><body><p>请使用手机浏览器访问本页面</p></body></html>`, 200, Wall, Client, ""},
	{"illegal request", `<html><body><p>非法请求！</p></body></html>`, 200, Wall, Refused, ""},
	{"illegal request in JSON", `{"code":-1,"msg":"非法请求"}`, 200, Wall, Refused, ""},
	{"illegal request beside an empty list", `{"code":500,"msg":"非法请求","data":[]}`, 200, Wall, Refused, ""},
	{"signature", `{"status":-1,"message":"签名验证失败"}`, 200, Wall, Refused, ""},
	{"invalid signature", `{"code":403,"msg":"invalid signature"}`, 200, Wall, Refused, ""},
	{"token", `{"code":"A0230","msg":"token无效或已过期"}`, 200, Wall, Login, ""},
	{"unauthorized", `{"error":"Unauthorized"}`, 200, Wall, Login, ""},
	{"empty list", `{"code":0,"msg":"ok","data":[]}`, 200, Page, "", ""},
	{"rows about it", `{"code":0,"msg":"非法请求处理办法","data":[{"title":"关于打击非法请求的通知","url":"/a/1"}]}`, 200, Page, "", ""},
	{"how to pay", `<html><head><title>样例缴费公告</title></head><body><p>发布时间：2026-11-20</p><p>请在微信客户端打开“样例服务”，选择缴费。</p></body></html>`, 200, Page, "", ""},
	{"watch there", `<html><body><h1>公告</h1><p>请在微信公众号“样例发布”查看直播，电脑端同步播出。</p></body></html>`, 200, Page, "", ""},
	{"question", `<html><body><h1>知识问答</h1><p>问：什么是非法请求？答：未经授权向他人系统发送的请求。</p></body></html>`, 200, Page, "", ""},
	{"interface", `<html><body><h1>接口说明</h1><p>令牌两小时有效，token失效后重新获取；签名错误时返回1001。</p></body></html>`, 200, Page, "", ""},
	{"no field", `<html><body><h1>操作说明</h1><p>登录时输入图片中的字符，看不清可以更换。</p></body></html>`, 200, Page, "", ""},
}

// TestCodesAndClients reads the pages of codes.
func TestCodesAndClients(t *testing.T) {
	t.Parallel()
	check(t, codes)
}
