// Package absent lists what was promised not to be there: whose code, which fields, which powers of a browser,
// which purposes. The tests look for it in the source; the watch (internal/watch) looks for it in what an installation
// really serves and keeps. Each entry has an example that must be found, or its list of names would be empty talk.
package absent

import (
	"regexp"
	"strings"
	"unicode"
)

// Vendor is somebody whose code or addresses were promised to be absent. A name is found as a
// whole word of a module path or host ("tbs", not "outbsd").
type Vendor struct {
	Promise string
	Names   []string
	Example string // a part that has one of the names
}

// In is the name of the vendor that a part's name has, or "".
func (v Vendor) In(part string) string {
	words := strings.FieldsFunc(strings.ToLower(part), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for _, n := range v.Names {
		for _, w := range words {
			if w == n {
				return n
			}
		}
	}
	return ""
}

// Vendors are those of the policies that our promises were taken from.
var Vendors = []Vendor{
	{"P013", []string{"wechat", "weixin", "wxapi"}, "npm wechat-opensdk"},
	{"P014", []string{"facebook", "fbsdk"}, "npm facebook-login"},
	{"P015", []string{"liff", "linecorp"}, "npm @line/liff"},
	{"P016", []string{"cognito", "amplify"}, "npm amazon-cognito-identity-js"},
	{"P028", []string{"linkvisual", "linkkit"}, "go example.com/linkvisual"},
	{"P029", []string{"tuya"}, "go github.com/tuya/connector"},
	{"P091", []string{"huawei", "hms"}, "npm @hms-core/push"},
	{"P092", []string{"jiguang", "jpush"}, "go example.com/jpush"},
	{"P093", []string{"xiaomi", "mipush"}, "go example.com/xiaomi/push"},
	{"P094", []string{"meizu", "flyme"}, "go example.com/meizu"},
	{"P095", []string{"firebase", "fcm"}, "npm firebase"},
	{"P096", []string{"vivo"}, "go example.com/vivo-push"},
	{"P097", []string{"oppo", "heytap"}, "go example.com/oppo"},
	{"P098", []string{"umeng", "youmeng"}, "npm umeng-push"},
	{"P120", []string{"bmap", "bmapgl"}, "npm vue-bmap-gl"},
	{"P142", []string{"dun", "netease"}, "go example.com/netease/dun"},
	{"P161", []string{"alipay"}, "npm alipay-sdk"},
	{"P169", []string{"echuang", "easychat"}, "npm echuang"},
	{"P170", []string{"zendesk"}, "npm zendesk-widget"},
	{"P181", []string{"tbs", "x5"}, "npm tbs-webview"},
	{"P182", []string{"bumptech"}, "maven com.github.bumptech.glide"},
	{"P191", []string{"bugly", "sentry", "bugsnag", "crashlytics", "rollbar"}, "npm @sentry/browser"},
	{"P192", []string{"aliyun"}, "go github.com/aliyun/aliyun-log-go-sdk"},
	{"P193", []string{"oss"}, "npm ali-oss"},
	{"P194", []string{"umeng", "uapm"}, "npm umeng-analytics"},
	{"P195", []string{"aliyuncs", "sls"}, "host cn-hangzhou.log.aliyuncs.com"},
	{"P196", []string{"yiguan", "analysys", "mixpanel", "amplitude", "posthog", "matomo", "hotjar"}, "npm ans-analysys"},
	{"P197", []string{"dcloud", "uniapp", "dcloudio"}, "npm @dcloudio/uni-app"},
	{"P203", []string{"beizi"}, "npm beizi"},
	{"P204", []string{"pangle", "pangolin", "csj"}, "npm pangle-sdk"},
	{"P205", []string{"gdt", "youlianghui"}, "host mi.gdt.qq.com"},
	{"P206", []string{"baiqingteng", "bqt"}, "npm baiqingteng"},
	{"P207", []string{"kuaishou", "ksad"}, "npm kuaishou-ad"},
	{"P208", []string{"inmobi"}, "npm inmobi"},
	{"P209", []string{"adhub"}, "npm adhub"},
	{"P210", []string{"topon", "anythink"}, "npm anythink"},
	{"P211", []string{"bytedance"}, "npm bytedance-ads"},
	{"P212", []string{"tencent", "adnet"}, "host adnet.qq.com"},
	{"P213", []string{"cpro", "mobads"}, "host cpro.baidu.com"},
	{"P215", []string{"rong", "rongsdk"}, "npm rong-ads"},
	{"P216", []string{"admob", "doubleclick", "googlesyndication", "adsense"}, "npm admob-plus"},
	{"P217", []string{"iflytek", "voiceads", "xfyun"}, "npm iflytek-ads"},
	{"P198", []string{"ads", "ad", "adsdk", "prebid", "advert"}, "npm prebid"},
	{"P202", []string{"shortvideo", "douyin", "kwai"}, "host www.douyin.com"},
}

// Host finds the hosts that addresses in a text name.
var Host = regexp.MustCompile(`(?i)\b(?:https?|wss?)://([a-z0-9.-]+\.[a-z]{2,})`)
