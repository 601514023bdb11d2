package httpapi_test

import (
	"net/http"
	"testing"
)

func init() {
	for route, body := range map[string]string{
		"chooseAlerts": `{"kind":"motion","app":true,"push":false,"mail":false,"pictures":false}`, "pauseCameraAlerts": `{"for":"half_hour"}`,
		"pauseAlerts": `{"for":"morning"}`, "addPushDevice": `{"endpoint":"https://push.example/x","p256dh":"B","auth":"A"}`, "tryPushDevice": "-",
		"reportArrival": `{"test":"t"}`, "stopMail": "List-Unsubscribe=One-Click",
	} {
		bodies[route] = body
	}
}

func TestTicketsAnswerOnce(t *testing.T) {
	w := newWorld(t)
	rec := w.do(request{as: &w.anna, method: "GET", path: "/api/v1/tickets/fresh"})
	w.want(rec, http.StatusOK, "")
	if rec.Body.String() != "picture" || rec.Header().Get("Content-Type") != "image/jpeg" || rec.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%v %s", rec.Header(), rec.Body)
	}
	w.want(w.do(request{as: &w.anna, method: "GET", path: "/api/v1/tickets/used"}), http.StatusGone, "ticket.over")
	w.want(w.do(request{method: "GET", path: "/api/v1/tickets/fresh"}), http.StatusUnauthorized, "session.needed")
}

// A mail provider posts a form, from nowhere, without a session.
func TestMailsEndByOneClick(t *testing.T) {
	w := newWorld(t)
	post := func(token string) request {
		return request{method: "POST", path: "/api/v1/unsubscribe/" + token, body: "List-Unsubscribe=One-Click", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}
	}
	w.want(w.do(post("known")), http.StatusNoContent, "")
	w.want(w.do(post("unknown")), http.StatusNotFound, "not_found")
	if rec := w.do(request{method: "GET", path: "/api/v1/unsubscribe/known"}); rec.Code != http.StatusMethodNotAllowed {
		t.Errorf("following the link answers %d: it must change nothing", rec.Code)
	}
}

func TestAlertsNeedWhatMakesSense(t *testing.T) {
	w := newWorld(t)
	camera := "/api/v1/cameras/" + w.anna.camera.String() + "/alerts"
	for body, status := range map[string]int{
		`{"kind":"motion","app":true,"push":false,"mail":false,"pictures":false,"hours":[{"days":[1,7],"from":"22:00","to":"06:00"}]}`: http.StatusOK,
		`{"kind":"barking","app":true,"push":false,"mail":false,"pictures":false}`:                                                     http.StatusUnprocessableEntity,
		`{"kind":"motion","app":true,"push":false,"mail":false,"pictures":false,"hours":[{"days":[1],"from":"25:00","to":"06:00"}]}`:   http.StatusUnprocessableEntity,
		`{"kind":"motion","app":true,"push":false,"mail":false,"pictures":false,"hours":[{"days":[],"from":"22:00","to":"06:00"}]}`:    http.StatusUnprocessableEntity,
	} {
		if rec := w.do(request{as: &w.anna, method: "PUT", path: camera, body: body}); rec.Code != status {
			t.Errorf("%s: %d %s", body, rec.Code, rec.Body)
		}
	}
	w.want(w.do(request{as: &w.anna, method: "PUT", path: camera + "/pause", body: `{"for":"ever"}`}), http.StatusUnprocessableEntity, "request.invalid")
	w.want(w.do(request{as: &w.anna, method: "GET", path: "/api/v1/alerts/messages?cursor=!"}), http.StatusUnprocessableEntity, "request.invalid")
	page := w.want(w.do(request{as: &w.anna, method: "GET", path: "/api/v1/alerts/messages?cursor=a"}), http.StatusOK, "")
	if page["next_cursor"] != "7" {
		t.Errorf("%v", page)
	}
}
