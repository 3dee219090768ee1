'use strict';
/**
 * Stands for a database server: slow, one for all workers. As in the articles, the number of users is squared each time
 * somebody asks. DATABASE names the file it is kept in.
 */
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const FILE = process.env.DATABASE ?? path.join(os.tmpdir(), 'rustcluster-example-users');

/** @returns {Promise<number>} 25, 625, 390625, ... */
async function countUsers() {
  await sleep(50);
  const before = fs.existsSync(FILE) ? Number(fs.readFileSync(FILE, 'utf8')) : 5;
  fs.writeFileSync(FILE, String(before ** 2));
  return before ** 2;
}

/** @returns {Promise<boolean>} whether somebody may log in */
async function checkPassword(name, password) {
  await sleep(5);
  return typeof name === 'string' && name !== '' && password === 'open sesame';
}

module.exports = { checkPassword, countUsers };
