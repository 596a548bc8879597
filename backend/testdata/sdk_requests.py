"""The requests of the original Python SDK, made with the standard library.

Not the SDK: a client that sends what the SDK sends, as its documentation and
its behaviour on the wire have it (the header X-API-Key, batches in a buffer that
failed sends return to, the bodies, the paths and the query parameters), and
checks what the SDK's callers read. Arguments: the backend's URL and its API key.
It prints one line a check that fails, and exits with 1 when there is any.
"""

import csv
import datetime
import io
import json
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid

URL, KEY = sys.argv[1], sys.argv[2]
failed = []


def want(what, got, expected):
    if got != expected:
        failed.append(f"{what}: got {got!r}, want {expected!r}")


def has(what, answer, *keys):
    want(f"{what} has its fields", [k for k in keys if k not in answer], [])


def new_id():
    return uuid.uuid4().hex[:16]


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat()


class HTTPError(Exception):
    pass


class Transport:
    """Buffers events, and sends them when batch_size are there."""

    def __init__(self, key, batch_size=10, max_retries=3):
        self.key, self.batch_size, self.max_retries = key, batch_size, max_retries
        self.buffer, self.failures, self.answers = [], 0, []

    def request(self, method, path, body=None, params=None):
        url = URL + path
        if params:
            url += "?" + urllib.parse.urlencode(params)
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method, headers={"X-API-Key": self.key})
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def call(self, method, path, body=None, params=None):
        """Raises for a status other than 2xx, as the SDK does."""
        status, text = self.request(method, path, body, params)
        if status // 100 != 2:
            raise HTTPError(f"{method} {path}: {status} {text}")
        return json.loads(text)

    def send(self, event):
        self.buffer.append(event)
        if len(self.buffer) >= self.batch_size:
            self.flush()

    def flush(self):
        batch, self.buffer = self.buffer, []
        if not batch:
            return
        status, text = self.request("POST", "/events", {"events": batch})
        if status == 200:
            self.failures = 0
            self.answers.append(json.loads(text))
            return
        self.failures += 1
        if self.failures <= self.max_retries:
            self.buffer[0:0] = batch


class Session:
    """What start_session, track and end_session send."""

    def __init__(self, transport, agent_name="default-agent", metadata=None):
        self.t, self.id, self.tokens, self.n = transport, new_id(), [0, 0], 0
        self.t.send({"event_type": "session_start", "session_id": self.id, "agent_name": agent_name,
                     "metadata": metadata or {}, "timestamp": now()})

    def track(self, event_type="generic", input_data=None, output_data=None, model=None, tokens_in=0, tokens_out=0,
              reasoning=None, tool_name=None, tool_input=None, tool_output=None, duration_ms=None):
        self.n += 1
        event = {"event_id": new_id(), "session_id": self.id, "event_type": event_type, "timestamp": now(),
                 "input_data": input_data, "output_data": output_data, "model": model,
                 "tokens_in": tokens_in, "tokens_out": tokens_out, "duration_ms": duration_ms}
        if tool_name:
            event["tool_call"] = {"tool_call_id": new_id(), "tool_name": tool_name, "tool_input": tool_input or {},
                                  "tool_output": tool_output, "timestamp": now(), "duration_ms": duration_ms}
        if reasoning:
            event["decision_trace"] = {"trace_id": new_id(), "step": self.n, "reasoning": reasoning,
                                       "alternatives_considered": [], "timestamp": now()}
        # The SDK leaves out what is None.
        event = {k: v for k, v in event.items() if v is not None}
        if "tool_call" in event:
            event["tool_call"] = {k: v for k, v in event["tool_call"].items() if v is not None}
        self.tokens = [self.tokens[0] + tokens_in, self.tokens[1] + tokens_out]
        self.t.send(event)
        return event

    def end(self):
        self.t.send({"event_type": "session_end", "session_id": self.id, "ended_at": now(), "total_tokens_in": self.tokens[0],
                     "total_tokens_out": self.tokens[1], "status": "completed"})
        self.t.flush()


def track_everything(t):
    s = Session(t, "research-agent-v2", {"version": "2.1.0", "environment": "production"})
    llm = s.track("llm_call", {"prompt": "Summarize this article", "article_url": "https://example.com"}, {"response": "It discusses…"},
                  "gpt-4-turbo", 1200, 350, "User asked for a summary. Using GPT-4 Turbo for long context.", duration_ms=2340.5)
    s.track("tool_call", tool_name="web_search", tool_input={"query": "latest AI safety papers 2026"},
            tool_output={"results": [{"title": "…"}]}, duration_ms=890.2)
    s.track("tool_call", tool_name="database_query", tool_input={"sql": "SELECT 1"}, tool_output={"rows": 42}, duration_ms=15.3)
    s.track("decision", reasoning="go on")
    s.track("error", output_data={"error": "boom"})
    # What the SDK's decorators track.
    s.track("agent_call", {"args": ["x"], "kwargs": {}}, {"result": "y"}, "gpt-4", duration_ms=3.0, reasoning="Agent 'a' executed")
    s.track("agent_error", {"args": [], "kwargs": {}}, {"error": "e", "error_type": "ValueError"}, duration_ms=3.0)
    s.track("tool_error", tool_name="t", tool_output={"error": "e", "error_type": "ValueError"}, duration_ms=3.0)
    s.track()
    s.track("llm_call", model="gpt-4o", tokens_in=500, tokens_out=100, duration_ms=100)
    t.flush()
    want("buffer after a flush", t.buffer, [])
    want("processed", sum(a["processed"] for a in t.answers), 11)
    want("skipped", sum(a["skipped"] for a in t.answers), 0)
    want("status", t.answers[0]["status"], "ok")
    return s, llm


def check_session(t, s, llm):
    active = t.call("GET", f"/sessions/{s.id}")
    want("a running session", (active["status"], active["agent_name"], active["metadata"]["version"]), ("active", "research-agent-v2", "2.1.0"))
    s.end()
    got = t.call("GET", f"/sessions/{s.id}")
    want("an ended session", (got["status"], got["total_tokens_in"], got["total_tokens_out"], len(got["events"])), ("completed", 1700, 450, 10))
    first = got["events"][0]
    for key in ("event_id", "session_id", "event_type", "input_data", "output_data", "model", "tokens_in", "tokens_out", "duration_ms"):
        want(f"event's {key}", first[key], llm[key])
    want("event's reasoning", first["decision_trace"]["reasoning"], llm["decision_trace"]["reasoning"])
    want("event's step", first["decision_trace"]["step"], 1)
    want("tool's output", got["events"][1]["tool_call"]["tool_output"], {"results": [{"title": "…"}]})
    want("event types", [e["event_type"] for e in got["events"]],
         ["llm_call", "tool_call", "tool_call", "decision", "error", "agent_call", "agent_error", "tool_error", "generic", "llm_call"])
    text = t.call("GET", f"/sessions/{s.id}/explain")["explanation"].split("\n")
    want("explanation's head", text[:2], ["## Session Explanation: research-agent-v2", f"**Session ID:** {s.id}"])
    want("explanation's reasoning", [l for l in text if "Using GPT-4 Turbo" in l], ["   💡 Reasoning: " + llm["decision_trace"]["reasoning"]])
    want("list by status", [x["session_id"] for x in t.call("GET", "/sessions", params={"status": "completed", "limit": 50})["sessions"]], [s.id])


def check_export_and_compare(t, s):
    data = t.call("GET", f"/sessions/{s.id}/export", params={"format": "json"})
    has("export", data, "session", "events", "summary")
    want("export's totals", (len(data["events"]), data["summary"]["total_tokens"]), (10, 2150))
    status, text = t.request("GET", f"/sessions/{s.id}/export", params={"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(text)))
    want("rows of the CSV export", (status, len(rows), rows[0]["model"], rows[1]["tool_name"]), (200, 10, "gpt-4-turbo", "web_search"))
    other = Session(t, "research-agent-v2")
    other.track("llm_call", model="gpt-4", tokens_in=100, tokens_out=50)
    other.end()
    c = t.call("POST", "/sessions/compare", {"session_a": s.id, "session_b": other.id})
    has("comparison", c, "session_a", "session_b", "deltas", "shared")
    want("delta of tokens", c["deltas"]["total_tokens"], {"absolute": -2000, "percent": -93.02})
    has("shared", c["shared"], "event_types", "tools", "models")
    return other


def check_costs(t, s):
    costs = t.call("GET", f"/pricing/costs/{s.id}")
    has("costs", costs, "total_cost", "total_input_cost", "total_output_cost", "model_costs", "event_costs", "currency", "unmatched_models")
    # gpt-4-turbo 10 and 30 USD a million, gpt-4o 2.50 and 10.
    want("cost", costs["total_cost"], 0.02475)
    want("cost by event", [e["total_cost"] for e in costs["event_costs"]], [0.0225, 0, 0.00225])
    want("currency", costs["currency"], "USD")
    has("pricing", t.call("GET", "/pricing"), "pricing", "defaults")
    want("set_pricing", t.call("PUT", "/pricing", {"pricing": {"gpt-4o": {"input_cost_per_1m": 5.0, "output_cost_per_1m": 20.0}}}), {"status": "ok", "updated": 1})
    want("cost at other prices", t.call("GET", f"/pricing/costs/{s.id}")["total_cost"], 0.027)


def check_search(t, s, llm):
    for name, params, matched in (
        ("nothing", {}, 10), ("words", {"q": "summarize article"}, 1), ("types", {"type": "llm_call,tool_call"}, 4), ("model", {"model": "GPT-4"}, 3),
        ("min_tokens", {"min_tokens": 1501}, 1), ("max_tokens", {"min_tokens": 1, "max_tokens": 600}, 1), ("duration", {"min_duration_ms": 800.0}, 2),
        ("tools", {"has_tools": "true"}, 3), ("reasoning", {"has_reasoning": "true"}, 3), ("errors", {"errors": "true"}, 3),
        ("after", {"after": llm["timestamp"]}, 10), ("before", {"before": llm["timestamp"]}, 1),
    ):
        found = t.call("GET", f"/sessions/{s.id}/events/search", params={"limit": 2, "offset": 0, **params})
        want(f"search by {name}", (found["session_id"], found["total_events"], found["matched"], found["returned"], len(found["events"])),
             (s.id, 10, matched, min(2, matched), min(2, matched)))
    found = t.call("GET", f"/sessions/{s.id}/events/search", params={"limit": 100, "offset": 8, "type": "llm_call,generic"})
    want("search's page", found["returned"], 0)
    want("search's summary", found["summary"], {"tokens_in": 1700, "tokens_out": 450, "total_tokens": 2150, "total_duration_ms": 2440.5,
                                                "event_types": {"llm_call": 2, "generic": 1}, "models": {"gpt-4-turbo": 1, "gpt-4o": 1}})
    want("search over sessions", t.call("GET", "/sessions/search", params={"q": "research", "limit": 10})["total"], 2)


def check_tags_and_annotations(t, s, llm):
    want("add_tags", t.call("POST", f"/sessions/{s.id}/tags", {"tags": ["production", "v2.1"]}), {"session_id": s.id, "added": 2, "tags": ["production", "v2.1"]})
    want("get_tags", t.call("GET", f"/sessions/{s.id}/tags")["tags"], ["production", "v2.1"])
    want("list_all_tags", t.call("GET", "/sessions/tags")["tags"], [{"tag": "production", "session_count": 1}, {"tag": "v2.1", "session_count": 1}])
    by_tag = t.call("GET", "/sessions/by-tag/v2.1", params={"limit": 50, "offset": 0})
    want("list_sessions_by_tag", (by_tag["tag"], by_tag["total"], by_tag["sessions"][0]["session_id"]), ("v2.1", 1, s.id))
    want("remove_tags", t.call("DELETE", f"/sessions/{s.id}/tags", {"tags": ["v2.1"]}), {"session_id": s.id, "removed": 1, "tags": ["production"]})
    want("remove all tags", t.call("DELETE", f"/sessions/{s.id}/tags", {}), {"session_id": s.id, "removed": 1, "tags": []})

    a = t.call("POST", f"/sessions/{s.id}/annotations", {"text": "Bug found here", "author": "sdk", "type": "note", "event_id": llm["event_id"]})
    has("annotation", a, "annotation_id", "session_id", "text", "author", "type", "event_id", "created_at", "updated_at")
    path = f"/sessions/{s.id}/annotations/{a['annotation_id']}"
    want("update_annotation", t.call("PUT", path, {"type": "bug"})["type"], "bug")
    found = t.call("GET", f"/sessions/{s.id}/annotations", params={"type": "bug", "author": "sdk", "limit": 10, "offset": 0})
    want("get_annotations", (found["total"], found["returned"], found["annotations"][0]["text"]), (1, 1, "Bug found here"))
    want("by author", t.call("GET", f"/sessions/{s.id}/annotations", params={"author": "alice"})["total"], 0)
    want("list_recent_annotations", t.call("GET", "/annotations", params={"limit": 200, "type": "bug"})["annotations"][0]["agent_name"], "research-agent-v2")
    want("delete_annotation", t.call("DELETE", path), {"deleted": True, "annotation_id": a["annotation_id"]})


def check_alerts(t):
    metrics = t.call("GET", "/alerts/metrics")
    want("metrics", [m["name"] for m in metrics["metrics"]], ["total_tokens", "avg_tokens_per_session", "error_rate", "avg_duration_ms",
                                                              "max_duration_ms", "session_count", "event_count", "token_rate"])
    body = {"name": "Tokens", "metric": "total_tokens", "operator": ">", "threshold": 10, "window_minutes": 60, "cooldown_minutes": 15}
    rule = t.call("POST", "/alerts/rules", {**body, "agent_filter": "research-agent-v2"})["rule"]
    want("rule", {k: rule[k] for k in body}, body)
    want("enabled", (rule["enabled"], rule["agent_filter"]), (True, "research-agent-v2"))
    quiet = t.call("POST", "/alerts/rules", {**body, "name": "Errors", "metric": "error_rate", "threshold": 30})["rule"]
    want("list_alert_rules", [r["rule_id"] for r in t.call("GET", "/alerts/rules", params={"enabled": "true"})["rules"]], [quiet["rule_id"], rule["rule_id"]])
    verdict = t.call("POST", "/alerts/evaluate")
    want("evaluate", [verdict[k] for k in ("evaluated", "fired", "cooldown", "ok")], [2, 1, 0, 1])
    # 3 errors in 11 events; 2,150 and 150 tokens.
    want("values", [r["current_value"] for r in verdict["results"]], [27.27, 2300])
    want("evaluate again", [t.call("POST", "/alerts/evaluate")[k] for k in ("fired", "cooldown", "ok")], [0, 1, 1])
    events = t.call("GET", "/alerts/events", params={"limit": 50, "rule_id": rule["rule_id"], "acknowledged": "false"})
    want("get_alert_events", (events["count"], [e["rule_name"] for e in events["events"]]), (1, ["Tokens"]))
    event = events["events"][0]
    want("alert", {k: event[k] for k in ("rule_id", "metric_value", "metric", "operator", "threshold", "acknowledged")},
         {"rule_id": rule["rule_id"], "metric_value": 2300, "metric": "total_tokens", "operator": ">", "threshold": 10, "acknowledged": False})
    want("acknowledge_alert", t.call("PUT", f"/alerts/events/{event['alert_id']}/acknowledge")["acknowledged"], True)
    want("open alerts", t.call("GET", "/alerts/events", params={"acknowledged": "false"})["count"], 0)
    want("acknowledged alerts", t.call("GET", "/alerts/events", params={"acknowledged": "true"})["count"], 1)
    want("update_alert_rule", t.call("PUT", f"/alerts/rules/{rule['rule_id']}", {"enabled": False, "threshold": 5})["rule"]["enabled"], False)
    want("delete_alert_rule", t.call("DELETE", f"/alerts/rules/{rule['rule_id']}"), {"deleted": True, "rule_id": rule["rule_id"]})
    want("alerts of a deleted rule", t.call("GET", "/alerts/events")["count"], 0)


def check_analytics(t):
    has("analytics", t.call("GET", "/analytics"), "overview", "top_agents", "model_usage", "event_types", "sessions_over_time", "hourly_activity")
    has("costs", t.call("GET", "/analytics/costs", params={"days": 7}), "total_cost", "by_model", "daily_trend", "projected_monthly_cost")
    has("heatmap", t.call("GET", "/analytics/heatmap", params={"metric": "events", "days": 7}), "matrix", "peak", "max_value", "day_totals", "hour_totals")
    want("health", t.call("GET", "/health")["status"], "ok")


def check_retry():
    """A refused batch stays in the buffer, and is sent once the key is right."""
    t = Transport("not the key", batch_size=20, max_retries=5)
    s = Session(t, "custom-agent")
    s.track("llm_call", model="gpt-4", tokens_in=100, tokens_out=50)
    t.flush()
    t.flush()
    want("refused events", (len(t.buffer), t.failures), (2, 2))
    status, text = t.request("GET", "/sessions")
    want("a wrong key", (status, list(json.loads(text))), (401, ["error"]))
    t.key = KEY
    t.flush()
    want("events after a retry", (len(t.buffer), t.answers[0]["processed"]), (0, 2))
    s.end()
    want("the retried session", t.call("GET", f"/sessions/{s.id}")["event_count"], 1)


def main():
    t = Transport(KEY)
    s, llm = track_everything(t)
    check_session(t, s, llm)
    check_export_and_compare(t, s)
    check_costs(t, s)
    check_search(t, s, llm)
    check_tags_and_annotations(t, s, llm)
    check_alerts(t)
    check_analytics(t)
    check_retry()
    for text in failed:
        print(text)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
