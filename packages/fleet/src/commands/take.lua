--[[
  Asks whether a request to a model may go now, or when. The arithmetic is that of `limit.ts`, operation by operation,
  on this server's clock; `limit.ts` explains it.

  KEYS[1]  hash        the bucket: tokens, tickets, at, and the ramp after the last outage
  KEYS[2]  sorted set  tickets of the sessions that wait, scored with their numbers
  ARGV[1]  string      the session
  ARGV[2]  number      requests a second, as configured; 0 for none
  ARGV[3]  ms          when the breaker closed, as far as the caller knows; 0 for never
  ARGV[4]  number      answers a second before the outage; 0 if unknown
  ARGV[5]  number      refused requests that were not reported yet

  Returns { 'go', 1 if the ramp of this recovery no longer holds anything back, else 0 };
          { 'wait', ms, 1 if it is for the ramp, else 0 }.
  Errors  none of its own.
]]
local step_ms, least_rate, first_share, creep, above_usual = 2000, 2, 0.01, 1.1, 1.5
local refused_share, few_refused, helped_share, tolerated_more = 0.1, 20, 0.5, 1.25
local herd_ms, bound_ms, longest_wait_ms = 45000, 120000, 60000
local saved_seconds, ramp_burst, endless = 5, 0.1, 1e300
local idle_ms = 1200000

local fields = {
  'tokens', 'tickets', 'at', 'id', 'isOver', 'startedAt', 'rate', 'doublesTo', 'bound', 'tolerated', 'lowered',
  'settles', 'stepAt', 'granted', 'refused', 'waited',
}

local bucket_key, tickets_key = KEYS[1], KEYS[2]
local session, limit, recovered_at = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local usual, refused = tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000

local b = {}
local stored = redis.call('HMGET', bucket_key, unpack(fields))
for i, field in ipairs(fields) do
  b[field] = tonumber(stored[i] or 0)
end
-- After a fail-over to a server whose clock is behind, time continues from that clock.
if now < b.at then
  b.at = now
  b.startedAt = math.min(b.startedAt, now)
  b.stepAt = math.min(b.stepAt, now)
end
local own = tonumber(redis.call('ZSCORE', tickets_key, session) or nil)

local function is_ramp()
  return b.id > 0 and b.isOver == 0
end

local function real_rate()
  if not is_ramp() then
    return limit
  end
  return limit > 0 and math.min(limit, b.rate) or b.rate
end

local function begin()
  if recovered_at <= b.id then
    return
  end
  local known = usual > 0 and usual or endless
  local reached = is_ramp() and math.max(least_rate, b.rate / 2) or endless
  b.id = recovered_at
  b.bound = math.min(endless, known * above_usual)
  b.isOver = b.bound <= least_rate and 1 or 0
  b.startedAt, b.stepAt = now, now
  b.rate = math.max(least_rate, usual * first_share)
  b.doublesTo = math.min(known, reached)
  b.tolerated, b.lowered, b.settles = refused_share, 0, 0
  b.granted, b.refused, b.waited = 0, 0, 0
  b.tokens = math.min(b.tokens, b.tickets + 1)
  b.at = now
end

local function next_rate(rate)
  local next = rate < b.doublesTo and math.min(b.doublesTo, rate * 2) or rate * creep
  return now < b.startedAt + bound_ms and math.min(b.bound, next) or next
end

local function step()
  if not is_ramp() then
    return
  end
  b.refused = b.refused + refused
  if now < b.stepAt + step_ms then
    return
  end
  local granted, refused_in_step, waited, settles = b.granted, b.refused, b.waited, b.settles
  local share = math.min(1, refused_in_step / math.max(1, granted))
  b.stepAt, b.granted, b.refused, b.waited, b.settles = now, 0, 0, 0, 0
  if settles == 1 then
    return
  end
  if b.lowered > 0 and share > b.lowered * helped_share then
    b.tolerated, b.lowered = math.min(1, math.max(b.tolerated, share * tolerated_more)), 0
    return
  end
  if share > b.tolerated and refused_in_step >= few_refused then
    b.rate = math.max(least_rate, b.rate / 8, b.rate * (1 - share))
    b.lowered, b.settles = share, 1
    return
  end
  local is_used = waited == 1 or granted * 1000 >= (b.rate * step_ms) / 2
  local are_back = now >= b.startedAt + herd_ms or b.rate >= b.bound
  if b.lowered > 0 then
    b.doublesTo, b.lowered = math.min(b.doublesTo, b.rate), 0
  end
  b.isOver = (waited == 0 and are_back) and 1 or 0
  b.rate = is_used and next_rate(b.rate) or b.rate
end

local function until_grown(tokens)
  if not is_ramp() then
    return (tokens * 1000) / limit
  end
  local left, rate, ms, ends_in = tokens, b.rate, 0, math.max(0, b.stepAt + step_ms - now)
  while ms < longest_wait_ms do
    local real = limit > 0 and math.min(limit, rate) or rate
    local grows = (real * ends_in) / 1000
    if left <= grows then
      return ms + (left * 1000) / real
    end
    left = left - grows
    ms = ms + ends_in
    ends_in = step_ms
    rate = next_rate(rate)
  end
  return ms
end

local function keep(reply)
  local pairs_of = {}
  for _, field in ipairs(fields) do
    pairs_of[#pairs_of + 1] = field
    pairs_of[#pairs_of + 1] = string.format('%.17g', b[field])
  end
  redis.call('HSET', bucket_key, unpack(pairs_of))
  redis.call('PEXPIRE', bucket_key, idle_ms)
  redis.call('PEXPIRE', tickets_key, idle_ms)
  return reply
end

begin()
local rate = real_rate()
step()
if real_rate() == 0 then
  b.at = now
  redis.call('ZREM', tickets_key, session)
  return keep({ 'go', 1 })
end

local ramp = is_ramp()
local saved = math.max(1, rate * saved_seconds)
local burst = ramp and math.max(1, rate * ramp_burst) or saved
local grown = b.tokens + (rate * (now - b.at)) / 1000
b.tokens = math.min(grown, b.tickets + burst)
b.at = now
local lapsed = b.tokens - saved
if own == nil or own < lapsed or own > b.tickets then
  b.tickets = b.tickets + 1
  own = b.tickets
end
redis.call('ZREMRANGEBYSCORE', tickets_key, '-inf', string.format('(%.17g', lapsed))

if own <= b.tokens then
  if ramp then
    b.granted = b.granted + 1
  end
  redis.call('ZREM', tickets_key, session)
  return keep({ 'go', ramp and 0 or 1 })
end
if ramp then
  b.waited = 1
end
redis.call('ZADD', tickets_key, string.format('%.17g', own), session)
return keep({ 'wait', math.min(longest_wait_ms, math.ceil(until_grown(own - b.tokens)) + 1), ramp and 1 or 0 })
