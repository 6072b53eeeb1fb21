--[[
  Reads the head and the live holder at one instant of the server's clock.

  KEYS[1]  hash  the session
  KEYS[2]  list  its journal

  Returns { 'gone' } when there is no such session;
          { 'empty' } when it was acquired and has no entry yet;
          { 'free', head } when nobody holds it;
          { 'held', head, owner, fence, since, expiresAt } when somebody does;
          { 'journal-short', length of the journal, 0 } when there is a journal without a head.
  Errors  none of its own.

  An append writes both at once, so entries without a head are damage, never a session that is just beginning.
]]
local session, journal = KEYS[1], KEYS[2]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local stored = redis.call('HMGET', session, 'head', 'owner', 'fence', 'since', 'expiresAt')
local head, holder, fence = stored[1], stored[2], tonumber(stored[3])
local since, expires_at = tonumber(stored[4]), tonumber(stored[5] or 0)

if not head then
  local length = redis.call('LLEN', journal)
  if length > 0 then
    return { 'journal-short', length, 0 }
  end
  return { fence and 'empty' or 'gone' }
end
if expires_at <= now then
  return { 'free', head }
end
return { 'held', head, holder, fence, since, expires_at }
