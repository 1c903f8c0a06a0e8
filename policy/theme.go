package policy

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Themes are the State Council's 主题分类 (国务院公文主题分类, first level), with the
// words that stand for them in titles: the names of their second level, and what
// the titles of State Council and provinces call the same things. A page's own
// 主题分类 counts before any word.
var Themes = []struct {
	Name  string
	words string
}{
	{"国务院组织机构", "国务院组成部门 直属机构 机构设置 内设机构 机构改革 机构编制 人员编制 编制管理 编制规定 领导小组 联席会议 议事协调 委员会组成 主要职责 三定 更名"},
	{"综合政务", "权责清单 责任清单 事项清单 中介服务事项 审批中介 政府系统 公章 印章 值班 政务公开 政务服务 政务督查 政府信息公开 信息公开 应急管理 应急预案 突发事件 电子政务 数字政府 文秘 公文 保密 信访 参事 文史 规范性文件 行政许可 行政审批 审批事项 放管服 简政放权 营商环境 提案 建议答复 清理 督查 政府规章 政府工作报告 工作规则 重点工作 任务分工 民生实事 行政职权 权力清单 政府网站 行政权力 一件事 好差评 立法工作计划 立法计划 制定规章 行政法规 部分文件 政务信息 信息系统 便民热线 督查激励 真抓实干 规章立项 立法工作 证明事项 一网通办 政务热线 政务新媒体 绩效管理"},
	{"国民经济管理、国有资产监管", "省属企业 中央企业 国企 企业重组 企业改制 企业结构 战略性新兴产业 现代服务业 都市圈 城市群 西部大开发 中部地区 东北地区 东北振兴 招标投标 公共资源交易 以工代赈 产业转移 一体化发展 产业园区 工商登记 混合所有制 国民经济 五年规划 宏观经济 经济体制 价格 物价 统计 普查 国有企业 国有资产 国资 重大建设项目 重点项目 重大项目 自由贸易试验区 自贸试验区 开发区 新区 经济区 投资 固定资产 高新技术产业开发区 区域合作 经济带 示范区 社会发展 民营经济 非公有制经济 中小企业 经济运行 老区 开发开放 要素市场化 企业集团 小微企业 中小微 深化改革 重点改革 改革试点 兼并重组 地区振兴 产业体系 试验区 工业园区 产业园 市场准入 投融资 负面清单 农业普查 经济普查 人口普查 抽样调查 公司制"},
	{"财政、金融、审计", "股份转让 期货 小额贷款 融资担保 国债 税费 奖补资金 补贴资金 罚款 罚没 会计师 金融业 地方金融 信贷 资金使用 存款 财政 预算 决算 转移支付 税 税收 税务 债券 债务 贷款 金融 银行 货币 外汇 证券 上市 保险 社会信用 信用体系 诚信 审计 政府采购 国库 资金管理 专项资金 融资 基金 收费 担保 会计 彩票 财政事权 支出责任 非法集资 上市公司 资本市场 金融改革 国有金融资本"},
	{"国土资源、能源", "页岩气 煤层气 油气 成品油 原油 风电 光伏 太阳能 核电 抽水蓄能 氢能 可再生能源 稀土 矿山 砂石 围填海 海岛 海岸 宅基地 建设用地 煤矿 农用地 充电 供热计量 国土 土地 土地执法 耕地 用地 征地 矿产 矿 水资源 海洋 海域 煤炭 煤 石油 天然气 燃气 电力 电网 能源 水电 新能源 地质 测绘地理 不动产 自然资源 采矿 测绘 地图 土地调查 地理国情 海洋功能区划 电煤 供电 电力供应 不动产登记 煤电"},
	{"农业、林业、水利", "林区 林下 林场 林业生态 造林 天然林 野生植物 承包地 承包权 土地承包 经营权流转 农田 化肥 农药 兽药 饲料 花卉 渔港 渔船 水土保持 灌区 引水 水源工程 水利枢纽 河湖 湖长 林长 供销社 绿色食品 农业机械 种业 奶业 糖料 油料 高标准农田 旱灾 农业 农村 农民 农 菜篮子 储备粮 粮食 生猪 畜牧 畜禽 渔业 水产 种子 林业 森林 林木 草原 湿地 防汛 抗旱 水利 水库 河道 河长 自然保护区 乡村振兴 退耕 动物防疫 耕地质量 农产品 防沙治沙 节水 灌溉 动物疫病 野生动物 农机 木本油料 牧区 森林防火 防灭火 防洪 汛期 蔬菜 棉花 农场 减轻农民负担"},
	{"工业、交通", "电池 装备 产业链 航运 海运 桥梁 隧道 通用航空 无人机 卫星 宽带 电子信息 钢铁 水泥 建材 食品工业 收费站点 停车 客运 货运 公交 出租汽车 网约车 船员 造船 机电 生物产业 稀有金属 工业 制造业 制造 机械 轻工 纺织 石化 化学工业 石油化工 化工园 化工产业 化工企业 化工行业 航天 航空 电信 通信 信息化 互联网 软件 集成电路 人工智能 数字经济 大数据 公路 高速公路 高速 收费站 水运 航道 港口 港 铁路 轨道交通 民航 机场 空域 邮政 快递 物流 交通 道路运输 运输 汽车 盐业 食盐 烟草 船舶 产业集群 农村路 农村公路 通行费 春运 收费公路 冷链 无线电 白酒 有色金属 技术改造 新能源汽车 电话工程"},
	{"商贸、海关、旅游", "出口 进口 内销 外国籍 航空口岸 加工贸易 市场采购 零售 餐饮 商业 商圈 通关 走私 展览会 博览 景区 旅行社 住宿 民宿 拍卖 外贸 对外贸易 对外经贸 内外贸 贸易 商务 国内贸易 供销 海关 口岸 检验检疫 旅游 电子商务 跨境 消费 流通 外商投资 招商引资 利用外资 综合保税区 保税 博览会 商品 进出口 会展 服务贸易 走出去 服务外包 购销 茶叶 家政 世贸组织 免税 流通体制 经贸"},
	{"市场监管、安全生产监管", "制假售假 质量奖 安全事故 缺陷产品 网络交易 传销 直销 价格欺诈 合同行为 检验检测 压力容器 锅炉 电梯 尾矿库 市场监管 市场监督 工商 食品安全 食品 药品 疫苗 质量 标准化 计量 认证 特种设备 安全生产 安全监管 生产安全 事故 烟花爆竹 危险化学品 消防 反垄断 公平竞争 商事制度 打击侵权 假冒伪劣 商标 广告 证照分离 消费者权益 价格监督 注册资本 登记制度 侵犯知识产权 制售假冒 五证合一 企业开办 随机抽查 危爆物品 食品药品 汽车安全 药品检查"},
	{"城乡建设、环境保护", "绿道 房地产 住宅 租赁住房 公租房 廉租 污水 再生水 黑臭水体 温室气体 应对气候变化 消耗臭氧 环境影响 抗震设防 特色小镇 人居 固体废物 危险废物 塑料 扬尘 雾霾 蓝天 装配式 工程造价 城市更新 老旧小区 小城镇 村庄规划 城市总体规划 国土空间规划 城镇体系规划 城市规划 城乡规划 规划区 城乡建设 住房 保障性安居 棚户区 物业 房屋 建筑 城镇化 市政 地下管廊 供水 排水 供热 垃圾 环境保护 环境 污染 生态 碳达峰 碳中和 节能 减排 循环经济 大气 水污染 土壤 噪声 气象 水文 地震 风景名胜区 绿化 历史文化名城 历史文化名镇 历史文化名村 历史文化街区 历史建筑 名城 名镇 名村 农村垃圾 垃圾治理 饮用水水源 绿色建筑 园林 城市管理 无障碍 海绵城市 综合管廊 管廊 公积金 土坯房 水源保护区 城镇规划 规划建设管理 勘察设计 排污许可 污染源"},
	{"科技、教育", "院校 学位 研究生 教材 留学 师范 科学技术奖 科技奖励 孵化 校车 中小学 民办教育 技术转移 职业学院 医学院 科技 科学技术 科学 技术创新 创新驱动 科研 实验室 教育 学校 高校 高等学校 学生 教师 学前 幼儿园 义务教育 职业教育 职业技术学院 学院 大学 考试 招生 知识产权 专利 奖学金 双一流 校园 成果转化 自然科学 众创 创新创业 大众创新 创新型 计算机软件 软件保护 自主创新 科学素质 哲学社会科学 教学成果 民族教育 科普"},
	{"文化、广电、新闻出版", "图书 印刷 网络视听 游戏 娱乐场所 艺术 美术馆 长城 石窟 革命文物 互联网上网服务 文博 文化 文物 非物质文化遗产 遗产 博物馆 图书馆 新闻 出版 版权 广播 电影 电视 广电 地方志 档案 语言文字 普通话 演出 考古 阅读 文明城市 文艺 戏曲 年鉴 川志 省志 地方史志 文化遗产 精神文明 音乐节"},
	{"卫生、体育", "中药 药材 卫生健康 疾控 防疫 精神卫生 医养 急救 医用 医学 接种 基本药物 分级诊疗 食源性 卫生 医疗 医院 医药 中医药 中医 医保 医疗保障 公共卫生 疫情 疫 新冠 传染病 艾滋病 血液 献血 健康 护理 托育 药品集中采购 体育 全民健身 运动会 足球 医师 病 乡村医生 运动队 运动员 大学生冬季运动会 爱国卫生 亚洲杯 结核病 健身休闲"},
	{"人口与计划生育、妇女儿童工作", "反家庭暴力 三孩 出生缺陷 托幼 人口与计划生育 计划生育 生育 人口发展 流动人口 妇女 儿童 未成年人 女职工 婴幼儿"},
	{"劳动、人事、监察", "人力资源 劳务 技工 高技能 用工 欠薪 社保 年金 干部 公积 加班 休假 年休假 探亲 人事制度 就业 创业 劳动 农民工 工资 工伤 失业 社会保险 社会保障 养老保险 退休 人事 任免 任职 免职 职务 公务员 事业单位 人才 职称 专家 军转 转业 监察 纠风 廉政 表彰 奖励 先进 劳动模范 津贴 处分 职业技能 技能 考核"},
	{"公安、安全、司法", "拐卖 公共安全视频 反恐怖 社会治安 养犬 赌博 毒品 人民警察 警察 消防救援衔 法律服务 社区矫正 刑事 信息网络安全 国家秘密 公安 国家安全 司法 禁毒 治安 户籍 户口 居住证 身份证 出入境 交通安全 道路交通 行政处罚 行政执法 行政复议 行政诉讼 普法 法治 依法行政 法律援助 律师 公证 仲裁 人民调解 刑 监狱 戒毒 网络安全 枪支 保安 法制宣传 卖淫 嫖娼 边防 见义勇为 落户 警衔 综合执法 综合行政执法"},
	{"民政、扶贫、救灾", "困难群众 流浪乞讨 临时救助 军休 养老机构 殡仪 公墓 志愿服务 行业协会 村民委员会 居民委员会 受灾 捐赠 募集 贫困地区 对口支援 救济 优待 老年 民政 救灾 减灾 灾后 灾害 恢复重建 低保 最低生活保障 社会救助 救助 优抚 烈士 退役军人 军人抚恤 拥军 双拥 残疾人 老年人 养老服务 养老 老龄 殡葬 慈善 红十字 福利 行政区划 区划 撤县 设立地级 地名 社会组织 社团 社区 婚姻 扶贫 脱贫 移民 孤儿 留守儿童 特困 退役士兵 自然灾害 勘界 行政区域界线 驻地迁移 困境儿童 扶贫项目 贫困"},
	{"民族、宗教", "民族 少数民族 宗教 清真 自治县 自治州"},
	{"对外事务", "出访 赴外 派遣团 因公出国 因公临时 护照 友好城市 外国人 驻华 外交 外事 国际条约 国际公约 公约 议定书 国际组织 领事 对外援助 签证"},
	{"港澳台侨工作", "港澳 香港 澳门 台湾 台胞 两岸 侨 华侨 归侨 海外 粤港 粤澳 港澳地区"},
	{"国防", "军事设施 现役 预备役 军民融合 空军 海军 武警 国防 征兵 兵役 民兵 军事 军队 人民防空 人防 国防动员 军 飞行学员 民兵预备役"},
}

// themeWord is a word of a theme; the longest of a theme come first.
type themeWord struct {
	theme, rank int
	word        string
}

// themeWords are the words of all themes by their first character.
var themeWords = func() map[rune][]themeWord {
	all := make(map[rune][]themeWord)
	for i, t := range Themes {
		for rank, w := range byLength(strings.Fields(t.words)) {
			first, _ := utf8.DecodeRuneInString(w)
			all[first] = append(all[first], themeWord{i, rank, w})
		}
	}
	return all
}()

// decisive are the shapes of titles that have one theme whatever else they name,
// as the State Council's own labels have it: a group set up for a census of
// polluters is 国务院组织机构, the answer to a motion on hospitals 综合政务.
var decisive = []struct {
	theme string
	title *regexp.Regexp
}{
	{"综合政务", regexp.MustCompile(`(?:提案|建议)(?:的)?答复|第\d+号.{0,20}(?:提案|建议)|所提问题和建议|立法(?:工作)?(?:计划|安排)`)},
	{"国务院组织机构", regexp.MustCompile(`(?:成立|调整|建立|设立|撤销|完善).{0,40}(?:领导小组|联席会议|指挥部|协调小组|组成人员|组织委员会|委员会.{0,6}成员)|内设机构|职能配置|主要职责.{0,12}编制|组成人员|驻京机构`)},
	{"民政、扶贫、救灾", regexp.MustCompile(`撤销.{2,16}设立.{2,20}(?:区|市|县)$|行政区划|驻地迁移|勘界|为烈士`)},
	{"劳动、人事、监察", regexp.MustCompile(`任免|任职$|免职$|(?:等|任|免)\p{Han}{0,6}职务`)},
}

// frames are words of how a title deals with its subject. They count only where
// nothing says what the subject is: 表扬征兵工作先进单位 is 国防.
var frames = strings.NewReplacer("先进单位", "", "先进个人", "", "先进集体", "", "表彰", "", "表扬", "", "奖励", "", "先进", "", "考核", "", "重点工作", "", "任务分工", "",
	"突出贡献", "", "评价", "", "创业创新", "创新创业")

// classify returns the theme of a title without its organs, and the words that
// say so: that of a decisive shape, else of the words of the subject, else of what
// is done with it. How often it is right stands in docs/themes.md.
func classify(subject string) (theme string, words []string) {
	for _, d := range decisive {
		if m := d.title.FindString(subject); m != "" {
			return d.theme, []string{m}
		}
	}
	theme, words, found := byWords(frames.Replace(subject))
	if !found {
		theme, words, _ = byWords(subject)
	}
	return theme, words
}

// leastCovered is how many characters of a title a theme's words cover at least:
// one alone (军, 病) may be part of any other word.
const leastCovered = 2

// byWords returns the theme whose words cover most of a subject; "" if two cover
// as much: of 25 such titles the one that comes first is right in 17. found tells
// whether there is any word.
func byWords(subject string) (theme string, words []string, found bool) {
	type hit struct {
		themeWord
		at int
	}
	var hits []hit
	for at, first := range subject {
		for _, w := range themeWords[first] {
			if strings.HasPrefix(subject[at:], w.word) {
				hits = append(hits, hit{w, at})
			}
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(a.theme-b.theme, a.rank-b.rank, a.at-b.at)
	})
	type score struct {
		theme, covered int
		words          []string
	}
	var scores []score
	var taken []bool // by words of the theme that is counted
	for i, h := range hits {
		if i == 0 || h.theme != hits[i-1].theme {
			scores = append(scores, score{theme: h.theme})
			taken = make([]bool, len(subject))
		}
		s, end := &scores[len(scores)-1], h.at+len(h.word)
		if taken[h.at] || taken[end-1] {
			continue
		}
		for k := h.at; k < end; k++ {
			taken[k] = true
		}
		s.covered += utf8.RuneCountInString(h.word)
		if !slices.Contains(s.words, h.word) {
			s.words = append(s.words, h.word)
		}
	}
	if len(scores) == 0 {
		return "", nil, false
	}
	slices.SortStableFunc(scores, func(a, b score) int { return b.covered - a.covered })
	if scores[0].covered < leastCovered || len(scores) > 1 && scores[0].covered == scores[1].covered {
		return "", nil, true
	}
	return Themes[scores[0].theme].Name, scores[0].words, true
}

// byLength returns the words, the longest first: 高速公路 counts before 高速.
func byLength(words []string) []string {
	return slices.SortedStableFunc(slices.Values(words), func(a, b string) int { return len(b) - len(a) })
}

// notThemes are words that a title has by its form and not by its theme.
var notThemes = strings.NewReplacer("人民政府", "", "高质量", "", "工作报告", "报告", "工作的通知", "通知", "征求意见稿", "", "公开征求意见", "", "地级以上市", "", "健康发展", "")

// theme takes the page's own classification, else that of the title's words.
func (u *understanding) theme() {
	if u.Theme != "" {
		u.ThemeFrom = "主题分类"
		return
	}
	subject := u.title.Subject
	if subject == "" {
		subject = u.Title
	}
	if len(u.title.Inner) > 0 && u.title.Relation != "" {
		subject = strings.Join(u.title.Inner, " ")
	}
	theme, words := classify(notThemes.Replace(subject[:min(len(subject), maxTitle)]))
	if theme != "" {
		u.Theme, u.ThemeFrom = theme, "标题“"+strings.Join(words, "”“")+"”"
	}
}

// ThemeMatches reports whether an article's theme is the one wanted: the same, a
// part of it (卫生、体育\体育), or one that its name is made of (民政 of 民政、扶贫、救灾).
func ThemeMatches(want, have string) bool {
	if want == "" || have == "" {
		return false
	}
	if want == have || strings.HasPrefix(have, want+`\`) {
		return true
	}
	return slices.Contains(strings.FieldsFunc(have, func(r rune) bool { return r == '、' || r == '\\' }), want)
}
