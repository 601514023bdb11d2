package housetest

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"candor/internal/policy"
	"candor/internal/promise"
)

// vendor is somebody whose code or addresses were promised to be absent. A name is found as a
// whole word of a module path or host ("tbs", not "outbsd").
type vendor struct {
	promise string
	cut     bool
	names   []string
	planted string
}

// vendors are those of the policies that our promises were taken from.
func vendors() []vendor {
	return []vendor{
		{"P013", promise.Cut("P013"), []string{"wechat", "weixin", "wxapi"}, "npm wechat-opensdk"},
		{"P014", promise.Cut("P014"), []string{"facebook", "fbsdk"}, "npm facebook-login"},
		{"P015", promise.Cut("P015"), []string{"liff", "linecorp"}, "npm @line/liff"},
		{"P016", promise.Cut("P016"), []string{"cognito", "amplify"}, "npm amazon-cognito-identity-js"},
		{"P028", promise.Cut("P028"), []string{"linkvisual", "linkkit"}, "go example.com/linkvisual"},
		{"P029", promise.Cut("P029"), []string{"tuya"}, "go github.com/tuya/connector"},
		{"P091", promise.Cut("P091"), []string{"huawei", "hms"}, "npm @hms-core/push"},
		{"P092", promise.Cut("P092"), []string{"jiguang", "jpush"}, "go example.com/jpush"},
		{"P093", promise.Cut("P093"), []string{"xiaomi", "mipush"}, "go example.com/xiaomi/push"},
		{"P094", promise.Cut("P094"), []string{"meizu", "flyme"}, "go example.com/meizu"},
		{"P095", promise.Cut("P095"), []string{"firebase", "fcm"}, "npm firebase"},
		{"P096", promise.Cut("P096"), []string{"vivo"}, "go example.com/vivo-push"},
		{"P097", promise.Cut("P097"), []string{"oppo", "heytap"}, "go example.com/oppo"},
		{"P098", promise.Cut("P098"), []string{"umeng", "youmeng"}, "npm umeng-push"},
		{"P120", promise.Cut("P120"), []string{"bmap", "bmapgl"}, "npm vue-bmap-gl"},
		{"P142", promise.Cut("P142"), []string{"dun", "netease"}, "go example.com/netease/dun"},
		{"P161", promise.Cut("P161"), []string{"alipay"}, "npm alipay-sdk"},
		{"P169", promise.Cut("P169"), []string{"echuang", "easychat"}, "npm echuang"},
		{"P170", promise.Cut("P170"), []string{"zendesk"}, "npm zendesk-widget"},
		{"P181", promise.Cut("P181"), []string{"tbs", "x5"}, "npm tbs-webview"},
		{"P182", promise.Cut("P182"), []string{"bumptech"}, "maven com.github.bumptech.glide"},
		{"P191", promise.Cut("P191"), []string{"bugly", "sentry", "bugsnag", "crashlytics", "rollbar"}, "npm @sentry/browser"},
		{"P192", promise.Cut("P192"), []string{"aliyun"}, "go github.com/aliyun/aliyun-log-go-sdk"},
		{"P193", promise.Cut("P193"), []string{"oss"}, "npm ali-oss"},
		{"P194", promise.Cut("P194"), []string{"umeng", "uapm"}, "npm umeng-analytics"},
		{"P195", promise.Cut("P195"), []string{"aliyuncs", "sls"}, "host cn-hangzhou.log.aliyuncs.com"},
		{"P196", promise.Cut("P196"), []string{"yiguan", "analysys", "mixpanel", "amplitude", "posthog", "matomo", "hotjar"}, "npm ans-analysys"},
		{"P197", promise.Cut("P197"), []string{"dcloud", "uniapp", "dcloudio"}, "npm @dcloudio/uni-app"},
		{"P203", promise.Cut("P203"), []string{"beizi"}, "npm beizi"},
		{"P204", promise.Cut("P204"), []string{"pangle", "pangolin", "csj"}, "npm pangle-sdk"},
		{"P205", promise.Cut("P205"), []string{"gdt", "youlianghui"}, "host mi.gdt.qq.com"},
		{"P206", promise.Cut("P206"), []string{"baiqingteng", "bqt"}, "npm baiqingteng"},
		{"P207", promise.Cut("P207"), []string{"kuaishou", "ksad"}, "npm kuaishou-ad"},
		{"P208", promise.Cut("P208"), []string{"inmobi"}, "npm inmobi"},
		{"P209", promise.Cut("P209"), []string{"adhub"}, "npm adhub"},
		{"P210", promise.Cut("P210"), []string{"topon", "anythink"}, "npm anythink"},
		{"P211", promise.Cut("P211"), []string{"bytedance"}, "npm bytedance-ads"},
		{"P212", promise.Cut("P212"), []string{"tencent", "adnet"}, "host adnet.qq.com"},
		{"P213", promise.Cut("P213"), []string{"cpro", "mobads"}, "host cpro.baidu.com"},
		{"P215", promise.Cut("P215"), []string{"rong", "rongsdk"}, "npm rong-ads"},
		{"P216", promise.Cut("P216"), []string{"admob", "doubleclick", "googlesyndication", "adsense"}, "npm admob-plus"},
		{"P217", promise.Cut("P217"), []string{"iflytek", "voiceads", "xfyun"}, "npm iflytek-ads"},
		{"P198", promise.Cut("P198"), []string{"ads", "ad", "adsdk", "prebid", "advert"}, "npm prebid"},
		{"P202", promise.Cut("P202"), []string{"shortvideo", "douyin", "kwai"}, "host www.douyin.com"},
	}
}

// What a build contains of others, and whom its source names as a host, is known completely:
// the module list, the lock file of the web app, and the addresses written in the source.
func TestNoPromisedVendorIsLinkedOrNamed(t *testing.T) {
	promise.Proves(t, "P013", "P014", "P015", "P016", "P028", "P029", "P091", "P092", "P093", "P094", "P095", "P096", "P097", "P098")
	promise.Proves(t, "P120", "P142", "P161", "P169", "P170", "P181", "P182", "P191", "P192", "P193", "P194", "P195", "P196", "P197")
	promise.Proves(t, "P198", "P202", "P203", "P204", "P205", "P206", "P207", "P208", "P209", "P210", "P211", "P212", "P213", "P215", "P216", "P217")
	parts := slices.Concat(modules(t), hosts(t))
	if len(parts) < 50 {
		t.Fatalf("only %d parts found: the lists are not being read", len(parts))
	}
	p, err := policy.Built()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.Recipients {
		parts = append(parts, "recipient "+r.ID)
	}
	for _, v := range vendors() {
		if v.cut {
			parts = append(parts, v.planted)
		}
	}
	for _, part := range parts {
		words := strings.FieldsFunc(strings.ToLower(part), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		for _, v := range vendors() {
			for _, n := range v.names {
				if slices.Contains(words, n) {
					t.Errorf("%s: %q is part of the build: %s", v.promise, n, part)
				}
			}
		}
	}
}

// Each planted name would be found, so the list of names is not empty talk.
func TestEachVendorWouldBeFound(t *testing.T) {
	for _, v := range vendors() {
		words := strings.FieldsFunc(v.planted, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if !slices.ContainsFunc(v.names, func(n string) bool { return slices.Contains(words, n) }) {
			t.Errorf("%s: %q has none of %q", v.promise, v.planted, v.names)
		}
	}
}

// modules are the Go modules of every binary and the packages of the web app, by name.
func modules(t *testing.T) []string {
	t.Helper()
	var list []string
	data := read(t, "go.mod")
	required := regexp.MustCompile(`(?m)^(?:require )?\s*([a-z0-9.]+\.[a-z]+/\S+) v\S+`)
	for _, m := range required.FindAllStringSubmatch(data, -1) {
		list = append(list, "go "+m[1])
	}
	var lock struct {
		Packages map[string]struct{} `json:"packages"`
	}
	if err := json.Unmarshal([]byte(read(t, "web/package-lock.json")), &lock); err != nil {
		t.Fatal(err)
	}
	for name := range lock.Packages {
		list = append(list, "npm "+name[strings.LastIndex(name, "node_modules/")+1:])
	}
	return list
}

var address = regexp.MustCompile(`(?i)\b(?:https?|wss?)://([a-z0-9.-]+\.[a-z]{2,})`)

// hosts are the hosts that addresses in the product's source name, with where.
func hosts(t *testing.T) []string {
	t.Helper()
	var list []string
	walk(t, []string{"cmd", "internal", "web"}, []string{".go", ".ts", ".js", ".svelte", ".html", ".css", ".json"}, func(name, text string) {
		for _, m := range address.FindAllStringSubmatch(text, -1) {
			list = append(list, "host "+m[1]+" in "+filepath.Base(name))
		}
	})
	return list
}
