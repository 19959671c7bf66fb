"""The job store's calls as Lua, so that Redis runs each as one step.

Keys under the prefix KEYS[1]: `job:ID` hash · `jobs`, `open` sorted by number · `items:ID` set of a job's seqs · `item:SEQ` hash ·
`line:LANE:KEY` list of seqs in order, of which only the head may run · `ready:LANE`, `later:LANE`, `held:LANE` heads sorted by
seq, time and end of lease · `dead`, `dead:SEQ`, `deadkey:KEY` · `journal` hash · `marks` hash key -> generation · `lock:NAME` hash.
Times are the server's own, so clocks of workers do not matter.
"""

from __future__ import annotations

__all__ = ["LIBRARY", "SCRIPTS"]

LIBRARY = """
local P = KEYS[1]
local final = {done = true, failed = true, cancelled = true}
local function time() local t = redis.call('TIME') return tonumber(t[1]) + tonumber(t[2]) / 1e6 end
local function text(number) return string.format('%.6f', number) end
local function get(key, name) local v = redis.call('HGET', P .. key, name) return v or nil end
local function ended(id) local state = get('job:' .. id, 'state') return state == nil or final[state] == true end
local function closed() return get('journal', 'closed') == '1' end
local function push(id, lane, key, body)
  local seq = redis.call('INCR', P .. 'seq')
  redis.call('HSET', P .. 'item:' .. seq, 'job', id, 'lane', lane, 'key', key, 'body', body, 'attempts', 0)
  redis.call('SADD', P .. 'items:' .. id, seq)
  if redis.call('RPUSH', P .. 'line:' .. lane .. ':' .. key, seq) == 1 then redis.call('ZADD', P .. 'ready:' .. lane, seq, seq) end
end
local function push_all(id, items) for _, i in ipairs(items) do push(id, i[1], i[2], i[3]) end end
local function drop(seq)
  local item = redis.call('HMGET', P .. 'item:' .. seq, 'job', 'lane', 'key')
  local lane, line = item[2], P .. 'line:' .. item[2] .. ':' .. item[3]
  local head = redis.call('LINDEX', line, 0) == tostring(seq)
  for _, set in ipairs({'ready:', 'later:', 'held:'}) do redis.call('ZREM', P .. set .. lane, seq) end
  redis.call('LREM', line, 1, seq)
  redis.call('SREM', P .. 'items:' .. item[1], seq)
  redis.call('DEL', P .. 'item:' .. seq)
  local following = redis.call('LINDEX', line, 0)
  if head and following then redis.call('ZADD', P .. 'ready:' .. lane, following, following) end
end
local function mark(key) if redis.call('EXISTS', P .. 'journal') == 1 then redis.call('HINCRBY', P .. 'marks', key, 1) end end
local function insert(id, fields)
  local number = redis.call('INCR', P .. 'number')
  local now = text(time())
  redis.call('HSET', P .. 'job:' .. id, 'number', number, 'created_s', now, 'updated_s', now, unpack(fields))
  redis.call('ZADD', P .. 'jobs', number, id)
  redis.call('ZADD', P .. 'open', number, id)
end
local function finish(id, state, reason)
  if ended(id) then return 0 end
  local job, now = P .. 'job:' .. id, time()
  redis.call('HSET', job, 'state', state, 'updated_s', text(now))
  if reason ~= '' then redis.call('HSET', job, 'error', reason) end
  redis.call('ZREM', P .. 'open', id)
  for _, seq in ipairs(redis.call('SMEMBERS', P .. 'items:' .. id)) do
    local until_s = redis.call('ZSCORE', P .. 'held:' .. get('item:' .. seq, 'lane'), seq)
    if not until_s or tonumber(until_s) <= now then drop(seq) end
  end
  if get('lock:catalogue', 'owner') == id then redis.call('DEL', P .. 'lock:catalogue') end
  if get('journal', 'job') == id then redis.call('DEL', P .. 'journal') end
  return 1
end
local function finish_if_through(id)
  local job = redis.call('HMGET', P .. 'job:' .. id, 'stage', 'done', 'failed_items')
  if not job[1] or job[1] ~= '' or redis.call('SCARD', P .. 'items:' .. id) > 0 then return end
  finish(id, (tonumber(job[3]) > 0 and tonumber(job[2]) == 0) and 'failed' or 'done', '')
end
local function holder(name, now)
  local lock = redis.call('HMGET', P .. 'lock:' .. name, 'owner', 'until')
  if lock[1] and (lock[2] == '' or tonumber(lock[2]) > now) then return lock[1] end
  return nil
end
local function wake(lane, now)
  for _, seq in ipairs(redis.call('ZRANGEBYSCORE', P .. 'held:' .. lane, '-inf', now)) do
    if ended(get('item:' .. seq, 'job')) then drop(seq) else
      redis.call('ZREM', P .. 'held:' .. lane, seq)
      redis.call('ZADD', P .. 'ready:' .. lane, seq, seq)
    end
  end
  for _, seq in ipairs(redis.call('ZRANGEBYSCORE', P .. 'later:' .. lane, '-inf', now)) do
    redis.call('ZREM', P .. 'later:' .. lane, seq)
    redis.call('ZADD', P .. 'ready:' .. lane, seq, seq)
  end
end
local function ours(seq, token) return get('item:' .. seq, 'token') == token end
"""

SCRIPTS = {
    "add": """
        local id, exclusive, fields, items = ARGV[1], ARGV[2], cjson.decode(ARGV[3]), cjson.decode(ARGV[4])
        if redis.call('EXISTS', P .. 'job:' .. id) == 1 then return '' end
        if exclusive == '1' then
          local held = holder('catalogue', time())
          if held then return held end
          redis.call('HSET', P .. 'lock:catalogue', 'owner', id, 'until', '')
          redis.call('DEL', P .. 'marks')
          redis.call('HSET', P .. 'journal', 'job', id, 'closed', '0')
        end
        insert(id, fields)
        push_all(id, items)
        return ''
    """,
    "set": """
        local id = ARGV[1]
        if ended(id) then return 0 end
        redis.call('HSET', P .. 'job:' .. id, 'updated_s', text(time()), unpack(cjson.decode(ARGV[2])))
        return 1
    """,
    "extend": """
        local id, cursor = ARGV[1], ARGV[2]
        if ended(id) then return 0 end
        if get('job:' .. id, 'cursor') ~= cursor then
          push_all(id, cjson.decode(ARGV[3]))
          redis.call('HSET', P .. 'job:' .. id, 'cursor', cursor)
        end
        return 1
    """,
    "advance": """
        local id = ARGV[1]
        if ended(id) or get('job:' .. id, 'stage') ~= ARGV[2] or redis.call('SCARD', P .. 'items:' .. id) > 0 then return 0 end
        redis.call('HSET', P .. 'job:' .. id, 'stage', ARGV[3])
        push_all(id, cjson.decode(ARGV[4]))
        return 1
    """,
    "finish": "return finish(ARGV[1], ARGV[2], ARGV[3])",
    "forget": """
        local left = tonumber(ARGV[1])
        for _, id in ipairs(redis.call('ZREVRANGE', P .. 'jobs', 0, -1)) do
          if ended(id) then
            left = left - 1
            if left < 0 then redis.call('ZREM', P .. 'jobs', id) redis.call('DEL', P .. 'job:' .. id) end
          end
        end
    """,
    "claim": """
        local lane, limit, lease, token = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
        local writes, suspicious = ARGV[5], tonumber(ARGV[6])
        if lane == writes and closed() then return {} end
        local now, found = time(), {}
        wake(lane, now)
        for n, seq in ipairs(redis.call('ZRANGE', P .. 'ready:' .. lane, 0, limit - 1)) do
          local item = redis.call('HMGET', P .. 'item:' .. seq, 'job', 'key', 'body', 'attempts')
          local suspect = tonumber(item[4]) >= suspicious
          if n == 1 or not suspect then
            local own = token .. ':' .. seq
            redis.call('HSET', P .. 'item:' .. seq, 'token', own)
            local attempts = redis.call('HINCRBY', P .. 'item:' .. seq, 'attempts', 1)
            redis.call('ZREM', P .. 'ready:' .. lane, seq)
            redis.call('ZADD', P .. 'held:' .. lane, now + lease, seq)
            if get('job:' .. item[1], 'state') == 'queued' then
              redis.call('HSET', P .. 'job:' .. item[1], 'state', 'running', 'started_s', text(now), 'updated_s', text(now))
            end
            if lane == writes then mark(item[2]) end
            found[#found + 1] = {seq, item[1], item[2], item[3], attempts, own}
          end
          if n == 1 and suspect then break end
        end
        return found
    """,
    "renew": """
        local until_s, held = time() + tonumber(ARGV[1]), 1
        for _, i in ipairs(cjson.decode(ARGV[2])) do
          if ours(i[1], i[2]) then redis.call('ZADD', P .. 'held:' .. get('item:' .. i[1], 'lane'), until_s, i[1]) else held = 0 end
          if ended(i[3]) then held = 0 end
        end
        return held
    """,
    "settle": """
        local writes, jobs = ARGV[2], {}
        for _, o in ipairs(cjson.decode(ARGV[1])) do
          jobs[o.job] = true
          if ours(o.seq, o.token) then
            local job, item = P .. 'job:' .. o.job, redis.call('HMGET', P .. 'item:' .. o.seq, 'lane', 'key', 'body')
            local lane, key, body = item[1], item[2], item[3]
            if lane == writes then mark(key) end
            if o.after and not ended(o.job) then
              redis.call('HSET', P .. 'item:' .. o.seq, 'attempts', o.attempts, 'token', '')
              redis.call('ZREM', P .. 'held:' .. lane, o.seq)
              redis.call('ZADD', P .. 'later:' .. lane, time() + o.after, o.seq)
            else
              drop(o.seq)
              if redis.call('EXISTS', job) == 1 and not o.after then
                redis.call('HINCRBY', job, 'done', o.done)
                redis.call('HINCRBY', job, 'failed_items', o.failed)
                redis.call('HSET', job, 'updated_s', text(time()))
                if o.error ~= '' then redis.call('HSETNX', job, 'error', o.error) end
              end
              if lane == writes and o.done > 0 then
                for _, seq in ipairs(redis.call('ZRANGEBYSCORE', P .. 'deadkey:' .. key, '-inf', '(' .. o.seq)) do
                  redis.call('ZREM', P .. 'deadkey:' .. key, seq)
                  redis.call('ZREM', P .. 'dead', seq)
                  redis.call('DEL', P .. 'dead:' .. seq)
                end
              end
              if o.dead then
                redis.call('ZADD', P .. 'dead', o.seq, o.seq)
                redis.call('ZADD', P .. 'deadkey:' .. key, o.seq, o.seq)
                redis.call('HSET', P .. 'dead:' .. o.seq, 'key', key, 'body', body, 'at_s', text(time()), unpack(o.dead))
              end
            end
          end
        end
        for id in pairs(jobs) do finish_if_through(id) end
    """,
    "waiting": """
        local count, now = 0, time()
        for _, lane in ipairs(ARGV) do
          if not (lane == ARGV[1] and closed()) then
            count = count + redis.call('ZCARD', P .. 'ready:' .. lane)
            count = count + redis.call('ZCOUNT', P .. 'held:' .. lane, '-inf', now)
            count = count + redis.call('ZCOUNT', P .. 'later:' .. lane, '-inf', now)
          end
        end
        return math.min(count, 100)
    """,
    "held": """
        local count = 0
        for _, seq in ipairs(redis.call('ZRANGEBYSCORE', P .. 'held:' .. ARGV[1], '(' .. text(time()), '+inf')) do
          if ARGV[2] == '' or get('item:' .. seq, 'job') == ARGV[2] then count = count + 1 end
        end
        return count
    """,
    "revive": """
        local id, seqs = ARGV[1], redis.call('ZRANGE', P .. 'dead', 0, -1)
        if redis.call('EXISTS', P .. 'job:' .. id) == 1 then return 0 end
        insert(id, cjson.decode(ARGV[2]))
        redis.call('HINCRBY', P .. 'job:' .. id, 'total', #seqs)
        push_all(id, cjson.decode(ARGV[4]))
        for _, seq in ipairs(seqs) do
          local letter = redis.call('HMGET', P .. 'dead:' .. seq, 'key', 'body')
          push(id, ARGV[3], letter[1], letter[2])
          redis.call('DEL', P .. 'dead:' .. seq, P .. 'deadkey:' .. letter[1])
        end
        redis.call('DEL', P .. 'dead')
        finish_if_through(id)
        return #seqs
    """,
    "marks": """
        local found, now, limit = {}, time(), tonumber(ARGV[2])
        if get('journal', 'job') ~= ARGV[1] then return found end
        local marks = redis.call('HGETALL', P .. 'marks')
        for n = 1, #marks, 2 do
          local head = redis.call('LINDEX', P .. 'line:' .. ARGV[3] .. ':' .. marks[n], 0)
          local until_s = head and redis.call('ZSCORE', P .. 'held:' .. ARGV[3], head)
          if not until_s or tonumber(until_s) <= now then found[#found + 1] = {marks[n], tonumber(marks[n + 1])} end
          if #found == limit then break end
        end
        return found
    """,
    "unmark": """
        for _, m in ipairs(cjson.decode(ARGV[1])) do
          if redis.call('HGET', P .. 'marks', m[1]) == tostring(m[2]) then redis.call('HDEL', P .. 'marks', m[1]) end
        end
    """,
    "close": """
        if get('journal', 'job') ~= ARGV[1] then return 0 end
        redis.call('HSET', P .. 'journal', 'closed', '1')
        return 1
    """,
    "open": "if get('journal', 'job') == ARGV[1] then redis.call('HSET', P .. 'journal', 'closed', '0') end",
    "lock": """
        local now, held = time(), nil
        held = holder(ARGV[1], now)
        if held and held ~= ARGV[2] then return held end
        redis.call('HSET', P .. 'lock:' .. ARGV[1], 'owner', ARGV[2], 'until', text(now + tonumber(ARGV[3])))
        return ''
    """,
    "unlock": "if get('lock:' .. ARGV[1], 'owner') == ARGV[2] then redis.call('DEL', P .. 'lock:' .. ARGV[1]) end",
    "holder": "return holder(ARGV[1], time()) or ''",
}
