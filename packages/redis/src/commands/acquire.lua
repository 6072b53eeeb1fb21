--[[
  Takes a session for writing, also one that does not exist yet.

  KEYS[1]  hash    the session
  ARGV[1]  string  id of the new owner, unique for each opened session
  ARGV[2]  JSON    the new owner
  ARGV[3]  ms      how long the lease runs
  ARGV[4]  number  fence of the live lease that may be taken over; empty: none

  Returns { 'lease' or 'busy', owner, fence, since, expiresAt }.
  Errors  none of its own.

  The holder itself always gets a new lease: a client that lost the reply sends the command again.
]]
local session = KEYS[1]
local owner_id, owner, ttl_ms, takeover = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local stored = redis.call('HMGET', session, 'fence', 'ownerId', 'owner', 'since', 'expiresAt')
local fence, holder_id, holder = tonumber(stored[1] or 0), stored[2], stored[3]
local since, expires_at = tonumber(stored[4] or 0), tonumber(stored[5] or 0)

if expires_at > now and holder_id ~= owner_id and takeover ~= fence then
  return { 'busy', holder, fence, since, expires_at }
end

fence, since, expires_at = fence + 1, now, now + ttl_ms
redis.call('HSET', session, 'fence', fence, 'ownerId', owner_id, 'owner', owner, 'since', since, 'expiresAt', expires_at)
return { 'lease', owner, fence, since, expires_at }
