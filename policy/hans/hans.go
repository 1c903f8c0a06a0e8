// Package hans converts the Traditional characters of official Chinese to Simplified ones,
// so that each rule about words needs only one form. It also reads numerals.
package hans

import (
	"sync"
	"unicode/utf8"
)

// pairs are the characters in the words of the rules, each Traditional one before its
// Simplified form. Each has three bytes, so that positions in a text stay the same.
const pairs = "貸贷來来佈布瀏浏覽览編编輯辑載载擊击讚赞攝摄黃黄張张報报時时間间遞递請请於于應应內内號号諮咨詢询徵征見见標标開开會会發发審审後后點点郵邮將将檔档單单劃划畫画補补據据規规類类項项關关從从為为無无與与區区縣县國国務务處处長长書书領领導导機机構构辦办員员圖图說说讀读聞闻記记電电訊讯議议論论講讲談谈專专訪访題题結结條条則则釋释實实執执變变經经濟济業业產产權权監监測测試试驗验證证資资費费繳缴納纳對对選选舉举薦荐參参賽赛獎奖踴踊躍跃" +
	"勵励協协組组織织設设計计網网線线傳传紙纸質质樣样優优備备萬万億亿個个幾几歲岁齡龄學学歷历績绩職职稱称統统數数達达轉转複复覆复續续絕绝並并衛卫醫医療疗藥药農农漁渔環环護护勞劳動动僱雇傷伤險险財财稅税預预決决債债銀银貨货幣币貿贸廣广場场園园運运輸输車车鐵铁橋桥訂订擬拟擴扩調调終终極极歡欢詳详紹绍簡简聯联絡络進进適适遷迁還还邊边鄰邻門门陽阳陰阴隊队階阶際际隨随離离難难" +
	"雙双雜杂靜静須须順顺頒颁頭头頻频額额風风飛飞體体黨党齊齐圓圆團团壓压兒儿倫伦側侧僑侨價价償偿儲储兩两冊册凍冻劇剧勝胜勢势匯汇華华吳吴問问啟启喪丧嚴严圍围壇坛墊垫夠够獲获現现確确種种積积穩稳術术衝冲裝装親亲觀观觸触註注評评認认誤误課课諾诺謝谢譽誉豐丰責责買买賣卖購购賠赔賞赏跡迹軍军軟软輔辅輪轮遲迟鄉乡釐厘鑑鉴錄录鎮镇閉闭閱阅闊阔陳陈陸陆隱隐雲云頁页顧顾館馆駐驻麗丽劉刘楊杨趙赵孫孙馬马羅罗鄭郑許许韓韩鄧邓馮冯蕭萧蔣蒋葉叶蘇苏呂吕盧卢鍾钟鐘钟譚谭韋韦賈贾鄒邹閻阎龍龙賀贺龔龚錢钱湯汤喬乔賴赖蘭兰顏颜溫温魯鲁畢毕聶聂叢丛莊庄紀纪歐欧鮑鲍寧宁閔闵宮宫連连藍蓝駱骆熱热腦脑貼贴擇择話话僅仅" +
	"東东臨临義义樂乐習习爭争畝亩倉仓儀仪們们眾众偽伪僞伪餘余兌兑興兴養养寫写況况憑凭傾倾齣出芻刍創创刪删別别製制韆千蔔卜捲卷廠厂廳厅曆历厙厍廈厦髮发隻只檯台臺台颱台閤合衕同曏向噸吨聽听響响迴回睏困塊块堅坚壯壮婦妇薑姜婁娄娛娱嬰婴傢家賓宾尋寻爾尔儘尽盡尽層层屆届屬属崗岗師师帳帐帶带幫帮幹干併并庫库廢废異异棄弃強强歸归噹当當当徹彻徑径憶忆誌志態态總总惲恽願愿戰战戶户纔才撫抚搶抢擔担擁拥撥拨揮挥攜携晉晋暫暂麯曲硃朱闆板棟栋欄栏欒栾檢检樓楼殘残氣气彙汇瀋沈沒没滬沪淺浅塗涂潤润灣湾滿满災灾煙烟牽牵狀状獨独瓊琼蓋盖盤盘礦矿碩硕礙碍禮礼竇窦競竞筆笔築筑篩筛籌筹簽签粵粤糧粮係系繫系緊紧纍累糾纠紅红約约級级綱纲練练細细繞绕給给繼继維维綜综緱缑縮缩繆缪罰罚衚胡鬍胡騰腾緻致節节蘆芦範范榮荣穫获營营藺蔺虛虚錶表視视覺觉討讨讓让訓训識识訴诉詞词譯译該该語语諸诸諶谌穀谷負负賬账貧贫貫贯賃赁贊赞贛赣蹤踪輛辆轄辖辭辞辯辩遼辽過过違违遺遗鄺邝鄔邬埰采採采針针鈕钮銅铜鏈链銷销鎖锁錯错閆闫閩闽闕阙闞阚陝陕麵面頂顶鬚须飲饮饒饶驟骤準准剛刚聲声掃扫碼码鍵键饋馈掛挂"

// The range of the unified ideographs.
const (
	firstHan = 0x4E00
	lastHan  = 0x9FFF
)

// simplified contains the Simplified form of each Traditional character, by its index among
// the ideographs; 0 for any other character.
var simplified = sync.OnceValue(func() *[lastHan - firstHan + 1]uint16 {
	var all [lastHan - firstHan + 1]uint16
	runes := []rune(pairs)
	for i := 0; i+1 < len(runes); i += 2 {
		all[runes[i]-firstHan] = uint16(runes[i+1])
	}
	return &all
})

// nextTraditional returns the byte offset of the first Traditional character at or after
// from in valid UTF-8, -1 if there is none.
func nextTraditional(s string, from int) int {
	table := simplified()
	for i := from; i < len(s); {
		switch c := s[i]; {
		case c < 0xC0:
			i++
		case c < 0xE0:
			i += 2
		case c < 0xF0:
			if r := rune(c&0x0F)<<12 | rune(s[i+1]&0x3F)<<6 | rune(s[i+2]&0x3F); r >= firstHan && r <= lastHan && table[r-firstHan] != 0 {
				return i
			}
			i += 3
		default:
			i += 4
		}
	}
	return -1
}

// Simplify returns s in Simplified characters, as far as rules need them; each
// character stays at its byte position. Text that is not valid UTF-8 is
// returned unchanged.
func Simplify(s string) string {
	if !utf8.ValidString(s) {
		return s
	}
	i := nextTraditional(s, 0)
	if i < 0 {
		return s
	}
	b := []byte(s)
	for ; i >= 0; i = nextTraditional(s, i+3) {
		r, _ := utf8.DecodeRuneInString(s[i:])
		utf8.EncodeRune(b[i:], rune(simplified()[r-firstHan])) // both characters have three bytes
	}
	return string(b)
}
