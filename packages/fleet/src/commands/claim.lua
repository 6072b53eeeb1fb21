--[[
  Claims rows whose instant has come, so that no other feeder looks at them for a while.

  KEYS[1]  zset    the rows of a shard: session id → instant (epoch ms) of the next look
  KEYS[2]  set     the sessions among them that a person waits for
  ARGV[1]  number  how many at most
  ARGV[2]  ms      until they are due again, unless they are settled before

  Returns { rows in the shard, id, its new score, 1 where a person waits or 0, id, … }.
  Errors  none of its own.

  They are moved, not removed: a feeder that dies with them in its hands loses nothing.
]]
local rows, interactive = KEYS[1], KEYS[2]
local limit, claim_ms = tonumber(ARGV[1]), tonumber(ARGV[2])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local found = redis.call('ZRANGEBYSCORE', rows, '-inf', now, 'LIMIT', 0, limit)
local result = { redis.call('ZCARD', rows) }
for _, id in ipairs(found) do
  table.insert(result, id)
  table.insert(result, now + claim_ms)
  table.insert(result, redis.call('SISMEMBER', interactive, id))
end
for _, id in ipairs(found) do
  redis.call('ZADD', rows, now + claim_ms, id)
end
return result
